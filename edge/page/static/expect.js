// What another threshold would bring: words and two curves below the line that is dragged. The board says it once for all.
import { el, sized, write } from "./dom.js";
import { get } from "./server.js";
import { W } from "./words.js";

const NEAR = 0.006; // the curve has every hundredth
const parts = { where: el("span"), alarms: el("span", { class: "alarms" }), missed: el("span", { class: "missed" }), rest: el("span") };
const graph = el("canvas", { "aria-hidden": "true" });
const panel = el("div", { class: "expect", hidden: true }, graph, el("p", { id: "expect" }, ...Object.values(parts)));
const known = new Map(); // target: what the board said
let shown = null; // target, its bar and thumb, and where that stands

// The words of a threshold: which, of false alarms, of what is missed, and what else is to be said.
function said(target, at) {
  const told = known.get(target);
  if (!told) return { rest: W.expecting };
  if (!told.ok) return { rest: told.status === 404 ? W.nothingKnown : W.refused(told) };
  const row = nearest(told, at);
  if (!row) return { rest: W.nothingKnown };
  const far = Math.abs(row.threshold - at) > NEAR;
  return { far, where: W.expectAt(far ? row.threshold : at, far), alarms: W.expectAlarms(row), missed: W.expectMissed(row, told.recordings),
    rest: W.expectRest(told, far) };
}

const nearest = ({ curve }, at) => curve.reduce((best, row) => (best && Math.abs(best.threshold - at) <= Math.abs(row.threshold - at) ? best : row), null);

// The same in a line, for a notice; empty where nothing is known of this threshold.
export function words(target, at) {
  const { far, alarms, missed, rest } = said(target, at);
  return alarms && !far ? alarms + missed + rest : "";
}

function curve({ pen, width, height }, style, value) {
  const { curve: rows } = known.get(shown.target);
  pen.beginPath();
  for (const row of rows) {
    const part = value(row);
    if (part !== null) pen.lineTo(row.threshold * width, height - 1 - Math.max(0, Math.min(1, part)) * (height - 3));
  }
  pen.strokeStyle = getComputedStyle(parts[style]).textDecorationColor;
  pen.setLineDash(style === "missed" ? [4, 3] : []);
  pen.stroke();
}

function paint() {
  const { target, bar, at } = shown, told = said(target, at), enough = known.get(target)?.curve?.length > 2;
  for (const [name, part] of Object.entries(parts)) write(part, told[name] || "");
  panel.classList.toggle("drawn", enough);
  if (!enough) return;
  const box = bar.getBoundingClientRect();
  graph.style.left = `${box.left - panel.getBoundingClientRect().left}px`;
  graph.style.width = `${box.width}px`;
  const paper = sized(graph), { pen, width, height } = paper;
  pen.clearRect(0, 0, width, height);
  pen.lineWidth = 1.5;
  curve(paper, "alarms", (row) => (row.alarms_per_day > 0 ? (Math.log10(row.alarms_per_day) + 2) / 4 : 0)); // 0.01 to 100 a day
  curve(paper, "missed", ({ misses }) => misses && misses[0]);
  pen.fillStyle = getComputedStyle(panel).color;
  pen.fillRect(Math.round(at * width) - 1, 0, 2, height);
}

export async function show(target, bar, thumb, at) {
  hide();
  shown = { target, bar, thumb, at };
  thumb.setAttribute("aria-describedby", "expect");
  bar.closest(".row").append(panel);
  panel.hidden = false;
  paint();
  const told = await get(`api/expect?target=${encodeURIComponent(target)}`);
  known.set(target, told);
  if (shown?.target === target) paint();
}

export function follow(target, at) {
  if (shown?.target !== target) return;
  shown.at = at;
  paint();
}

export function hide() {
  shown?.thumb.removeAttribute("aria-describedby");
  shown = null;
  panel.hidden = true;
}

addEventListener("pointerdown", ({ target }) => { if (shown && !panel.parentElement?.contains(target)) hide(); });
