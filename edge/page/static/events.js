// Events in a list, the newest first, each to be judged right or wrong.
import { clock, el, notice } from "./dom.js";
import { colour } from "./palette.js";
import { command } from "./server.js";
import { W } from "./words.js";

const judged = new Map(); // id: what the owner said, while the page is open

function when(event) {
  const date = new Date(event.started_at);
  return `${clock(date)}.${Math.floor(date.getMilliseconds() / 100)}`;
}

async function judge(event, judgement, box) {
  box.setAttribute("aria-busy", "true");
  for (const button of box.querySelectorAll("button")) button.disabled = true;
  box.lastChild.textContent = W.judging;
  const told = await command("feedback", { id: event.id, judgement });
  box.removeAttribute("aria-busy");
  if (told.ok) judged.set(event.id, judgement);
  else notice(W.notJudged(W.refused(told)), { bad: true, seconds: 12 });
  box.lastChild.textContent = told.ok ? (judgement === "right" ? W.judgedRight : W.judgedWrong) : "";
  for (const button of box.querySelectorAll("button")) {
    button.disabled = false;
    button.setAttribute("aria-pressed", String(judged.get(event.id) === button.dataset.says));
  }
}

function verdict(event) {
  const box = el("span", { class: "verdict" });
  for (const [says, sign, label] of [["right", "✓", W.rightOf], ["wrong", "✗", W.wrongOf]]) {
    box.append(el("button", { type: "button", class: `judge ${says}`, "data-says": says, "aria-label": label(event.target, when(event)),
      "aria-pressed": String((judged.get(event.id) ?? event.judgement) === says), onclick: () => judge(event, says, box) },
    el("span", { "aria-hidden": "true", text: sign }), el("span", { text: W[says] })));
  }
  box.append(el("span", { class: "said", role: "status" }));
  return box;
}

// `event` is the payload of deploy/docs/mqtt.md; `extra`: further elements of the line.
export function item(event, ...extra) {
  const facts = [event.ended_at === null ? W.running : W.duration(event.duration_seconds)];
  if (event.level_dbfs !== null && event.level_dbfs !== undefined) facts.push(W.level_(event.level_dbfs));
  if (event.late) facts.push(W.late);
  const line = el("li", { class: "event", "data-id": event.id, "data-target": event.target },
    el("i", { class: "swatch", "aria-hidden": "true" }),
    el("span", { class: "what", text: W.name(event.target) }),
    el("time", { datetime: event.started_at, text: when(event) }),
    el("span", { class: "figure", text: W.probability(event.probability) }),
    el("span", { class: "facts", text: facts.join(" · ") }), ...extra, verdict(event));
  line.style.setProperty("--colour", colour(event.target));
  return line;
}

// The lines of a list that grows at its top.
export class Newest {
  constructor(list, empty, most) {
    Object.assign(this, { list, empty, most, lines: new Map() });
  }

  show(event) {
    const line = this.lines.get(event.id);
    if (line) {
      line.querySelector(".facts").replaceWith(item(event).querySelector(".facts"));
      return;
    }
    const fresh = item(event);
    this.lines.set(event.id, fresh);
    this.list.prepend(fresh);
    this.empty.hidden = true;
    if (this.lines.size > this.most) {
      const [id, oldest] = this.lines.entries().next().value;
      if (!oldest.contains(document.activeElement)) {
        oldest.remove();
        this.lines.delete(id);
      }
    }
  }

  repaint() {
    for (const line of this.list.children) line.style.setProperty("--colour", colour(line.dataset.target));
  }
}
