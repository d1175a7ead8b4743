// A row for each target: its name, its lane, its probability against its threshold.
import { by, el, notice, write } from "./dom.js";
import * as expect from "./expect.js";
import * as lanes from "./lanes.js";
import { hue } from "./palette.js";
import { command } from "./server.js";
import { slider } from "./slider.js";
import { W } from "./words.js";

const rows = new Map(); // target: what its row shows

async function setThreshold(target, threshold) {
  const told = await command("threshold", { target, threshold });
  notice(told.ok ? W.thresholdTaken(target, told.threshold, expect.words(target, told.threshold)) : W.refused(told), { bad: !told.ok });
  return told.ok;
}

function made(told) {
  const { target } = told, lane = el("canvas", { class: "lane", "aria-hidden": "true" });
  const row = el("li", { class: "row", "data-target": target },
    el("span", { class: "name" }, el("i", { class: "swatch" }), W.name(target)), lane);
  row.style.setProperty("--hue", hue(target));
  if (told.threshold === null) {
    row.append(el("span", { class: "values", text: W.kinds[told.kind]?.(told) }));
    return { row, lane, threshold: null };
  }
  const bar = el("span", { class: "bar" }, el("i")), figure = el("span", { class: "figure" }), taken = W.backToSettings(target);
  const back = el("button", { class: "back", text: "↺", hidden: true, "aria-label": taken, title: taken,
    onclick: () => setThreshold(target, null) });
  row.append(el("span", { class: "values" }, bar, figure, back));
  return { row, lane, threshold: 0, bar, figure, back, slide: slider(target, bar, (value) => setThreshold(target, value)) };
}

// What the appliance says of its targets and their thresholds.
export function about({ about: { targets = [], commanded_thresholds: commanded = {} } }) {
  if (targets.map((each) => each.target).join() !== [...rows.keys()].join()) {
    rows.clear();
    for (const each of targets) rows.set(each.target, made(each));
    by("rows").replaceChildren(...[...rows.values()].map(({ row }) => row));
  }
  for (const { target, threshold, by: whence } of targets) {
    const shown = rows.get(target);
    if (!shown.slide) continue;
    shown.threshold = shown.slide(threshold, target in commanded ? W.byCommand : whence);
    shown.back.hidden = !(target in commanded);
  }
}

export function hear({ targets }) {
  for (const { target, probability } of targets) {
    const shown = rows.get(target);
    if (!shown?.bar) continue;
    shown.bar.style.setProperty("--probability", probability ?? 0);
    shown.row.classList.toggle("over", probability >= shown.threshold);
    write(shown.figure, W.against(probability, shown.threshold));
  }
}

export function draw(seconds) {
  for (const [target, { lane, threshold }] of rows) lanes.draw(lane, target, threshold, seconds);
}
