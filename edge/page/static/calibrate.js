// Calibrate to the room: hear it for some minutes, see what each threshold becomes and what that costs, keep it.
import { by, el, write } from "./dom.js";
import { newest, view } from "./lesson.js";
import { on } from "./stream.js";
import { W } from "./words.js";

const rows = ({ results }) => (Array.isArray(results) ? results : Object.entries(results.targets || {}).map(([target, row]) => ({ target, ...row })));

function draw(line, told) {
  const { seconds = 0, of = 1 } = newest("progress") || {}, bar = by("calibrate-progress");
  write(by("calibrate-say"), told ? "" : !newest("hearing") ? W.begins : seconds < of ? W.roomHeard(seconds, of) : W.setting);
  bar.hidden = Boolean(told);
  Object.assign(bar, { value: seconds, max: of });
  by("calibrate-outcome").hidden = by("calibrate-all").hidden = !told;
  if (line && line !== told) return;
  by("calibrate-outcome").replaceChildren(...(told ? rows(told) : []).map((row) => el("li", {}, el("b", { text: W.name(row.target) }),
    el("span", { text: W.calibrateOutcome(row) }))));
  by("calibrate-words").replaceChildren(...(told?.words || []).map((text) => el("li", { text })));
}

function options(targets) {
  const select = by("calibrate-target"), chosen = select.value, names = targets.map(({ target }) => target);
  if (select.length === names.length + 1) return;
  select.replaceChildren(new Option(W.all, ""), ...names.map((name) => new Option(W.name(name), name)));
  select.value = names.includes(chosen) ? chosen : "";
}

export function begin() {
  by("calibrate-budget").append(...Object.entries(W.budgets).map(([value, words]) => new Option(words, value)));
  by("calibrate-budget").value = "1/day";
  options([]);
  on("about", ({ about: { targets = [] } }) => options(targets.filter(({ threshold }) => threshold !== null)));
  view("calibrate", {
    fields: () => ({ minutes: by("calibrate-minutes").valueAsNumber, budget: by("calibrate-budget").value,
      targets: by("calibrate-target").value ? [by("calibrate-target").value] : [] }),
    title: (told) => (told ? W.calibrated : W.calibrating),
    draw,
  });
}
