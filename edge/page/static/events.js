// Events in a list, the newest first, each to be judged right or wrong.
import { clock, el, notice } from "./dom.js";
import { hue } from "./palette.js";
import { command } from "./server.js";
import { W } from "./words.js";

const judged = new Map(); // id: "right", "wrong" or null, as the page's server says it or the owner just now

const when = ({ started_at }) => `${clock(new Date(started_at))}.${started_at[20] || 0}`;

function show(box, says) {
  box.lastChild.textContent = says ? W.judged[says] : "";
  for (const button of box.querySelectorAll("button")) button.setAttribute("aria-pressed", button.dataset.says === says);
}

// How an event was judged: every line of this event shows it.
export function judgedAs(id, says) {
  judged.set(id, says);
  for (const line of document.querySelectorAll(`.event[data-id="${CSS.escape(id)}"] .verdict`)) show(line, says);
}

async function judge({ id }, judgement, box) {
  const buttons = box.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  box.lastChild.textContent = W.judging;
  const told = await command("feedback", { id, judgement });
  if (!told.ok) notice(W.notJudged(W.refused(told)), { bad: true, seconds: 12 });
  for (const button of buttons) button.disabled = false;
  judgedAs(id, told.ok ? judgement : judged.get(id) ?? null);
}

function verdict(event) {
  const box = el("span", { class: "verdict" }), say = (says, sign) => el("button", { class: `judge ${says}`, "data-says": says,
    "aria-label": W.judge(says, event.target, when(event)), onclick: () => judge(event, says, box) },
    el("span", { text: sign }), el("span", { text: W[says] }));
  box.append(say("right", "✓"), say("wrong", "✗"), el("span", { class: "said", role: "status" }));
  show(box, judged.get(event.id) ?? null);
  return box;
}

const facts = ({ ended_at, duration_seconds, level_dbfs }) =>
  `${ended_at === null ? W.running : W.duration(duration_seconds)} · ${W.level_(level_dbfs)}`;

// `event` is the payload of deploy/docs/mqtt.md; `extra`: one more element of the line.
export function item(event, extra) {
  const line = el("li", { class: "event", "data-id": event.id, "data-target": event.target }, el("i", { class: "swatch" }),
    el("span", { class: "what", text: W.name(event.target) }), el("time", { datetime: event.started_at, text: when(event) }),
    el("span", { class: "figure", text: W.probability(event.probability) }), el("span", { class: "facts", text: facts(event) }),
    extra, event.judgeable === false ? null : verdict(event));
  line.style.setProperty("--hue", hue(event.target));
  return line;
}

// A list that grows at its top to `most` lines. The line in which somebody works stays.
export function showNewest(list, event, most) {
  const line = list.querySelector(`[data-id="${CSS.escape(event.id)}"]`);
  if (line) line.querySelector(".facts").textContent = facts(event);
  else list.prepend(item(event));
  const oldest = list.lastChild;
  if (list.children.length > most && !oldest.contains(document.activeElement)) oldest.remove();
}
