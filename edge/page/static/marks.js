// Events on the spectrogram: each a line at its onset with the target's name.
import { by, el } from "./dom.js";
import { hue } from "./palette.js";
import { W } from "./words.js";

const marks = new Map(); // id of the event: its start, and its mark

export function forget() {
  marks.clear();
  by("marks").replaceChildren();
}

export function add({ event, start }) {
  if (marks.has(event.id)) return;
  const mark = el("span", { class: "mark", "data-target": event.target, "data-start": start }, el("b", { text: W.name(event.target) }));
  mark.style.setProperty("--hue", hue(event.target));
  by("marks").append(mark);
  marks.set(event.id, { start, mark });
}

// Puts each mark in its place; names that would overlap go into rows below each other.
export function draw(view, width) {
  const ends = [];
  for (const [id, { start, mark }] of [...marks].sort((one, other) => one[1].start - other[1].start)) {
    if (start < view.head - view.span) {
      mark.remove();
      marks.delete(id);
      continue;
    }
    mark.hidden = start > view.head;
    if (mark.hidden) continue;
    const x = view.x(start), label = mark.firstChild, long = mark.long ||= label.offsetWidth + 4, begins = Math.min(x, width - long);
    const free = ends.findIndex((end) => end <= begins), row = free < 0 ? ends.length : free;
    ends[row] = begins + long;
    mark.style.transform = `translateX(${x.toFixed(1)}px)`;
    label.style.transform = `translate(${(begins - x).toFixed(1)}px, ${Math.min(row, 5) * 17}px)`;
  }
}
