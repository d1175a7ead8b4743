// Events on the spectrogram: each a line at its onset with the target's name.
import { by, el } from "./dom.js";
import { colour } from "./palette.js";
import { W } from "./words.js";

const marks = new Map(); // id of the event: its start, and its mark

export function forget() {
  for (const { mark } of marks.values()) mark.remove();
  marks.clear();
}

export function add(message) {
  if (marks.has(message.event.id)) return;
  const mark = el("span", { class: "mark", "aria-hidden": "true", "data-target": message.event.target, "data-start": message.start },
    el("b", { text: W.name(message.event.target) }));
  mark.style.setProperty("--colour", colour(message.event.target));
  by("marks").append(mark);
  marks.set(message.event.id, { start: message.start, target: message.event.target, mark });
}

export function repaint() {
  for (const { mark, target } of marks.values()) mark.style.setProperty("--colour", colour(target));
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
    const x = view.x(start);
    mark.hidden = start > view.head;
    mark.style.transform = `translateX(${x.toFixed(1)}px)`;
    if (view.sweep && ends.length && x < (ends.before ?? 0)) ends.length = 0;
    ends.before = x;
    const long = mark.long ||= mark.firstChild.offsetWidth + 4, begins = Math.min(x, width - long);
    let row = ends.findIndex((end) => end <= begins);
    if (row < 0) row = ends.length;
    ends[row] = begins + long;
    mark.firstChild.style.transform = `translate(${(begins - x).toFixed(1)}px, ${Math.min(row, 5) * 17}px)`;
  }
}
