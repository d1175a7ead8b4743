// A row for each target: its name, its lane, its probability against its threshold.
import { by, el, notice, write } from "./dom.js";
import * as lanes from "./lanes.js";
import { colour } from "./palette.js";
import { command } from "./server.js";
import { slider } from "./slider.js";
import { W } from "./words.js";

const rows = new Map(); // target: what its row shows

async function setThreshold(target, threshold) {
  const told = await command("threshold", { target, threshold });
  notice(told.ok ? W.thresholdTaken(target, told.threshold) : W.refused(told), { bad: !told.ok, seconds: 5 });
}

function made(told) {
  const { target, kind } = told, name = W.name(target);
  const lane = el("canvas", { class: "lane", "aria-hidden": "true" });
  const figure = el("span", { class: "figure" });
  const row = el("li", { class: "row", "data-target": target },
    el("span", { class: "name" }, el("i", { class: "swatch", "aria-hidden": "true" }), el("span", { text: name })), lane);
  const shown = { told, row, lane, figure, threshold: told.threshold };
  if (told.threshold !== null) {
    const fill = el("i");
    shown.bar = el("span", { class: "bar" }, fill);
    shown.slide = slider(target, shown.bar, (value) => setThreshold(target, value));
    shown.back = el("button", { type: "button", class: "back", text: "↺", hidden: true, "aria-label": W.backToSettings(target),
      title: W.backToSettings(target), onclick: () => setThreshold(target, null) });
    row.append(el("span", { class: "values" }, shown.bar, figure, shown.back));
  } else {
    const says = { pattern: () => W.patternOf(told.of), loudness: () => W.louder(told.louder_db), alarm: () => W.rhythm(told.rhythm) };
    row.append(el("span", { class: "says", text: says[kind]?.() || "" }));
  }
  return shown;
}

// What the appliance says of its targets and their thresholds.
export function about(message) {
  const told = message.about.targets || [];
  if (told.map((each) => each.target).join() !== [...rows.keys()].join()) {
    rows.clear();
    for (const each of told) rows.set(each.target, made(each));
    by("rows").replaceChildren(...[...rows.values()].map((shown) => shown.row));
    repaint();
  }
  for (const each of told) {
    const shown = rows.get(each.target);
    if (!shown.slide) continue;
    const commanded = each.target in (message.about.commanded_thresholds || {});
    shown.threshold = shown.slide(each.threshold, commanded ? W.byCommand : each.by);
    shown.back.hidden = !commanded;
  }
}

export function hear(message) {
  for (const told of message.targets) {
    const shown = rows.get(told.target);
    if (!shown?.bar) continue;
    const probability = told.probability ?? 0;
    shown.bar.style.setProperty("--probability", probability.toFixed(3));
    shown.row.classList.toggle("over", probability >= shown.threshold);
    write(shown.figure, W.against(told.probability, shown.threshold));
  }
}

export function repaint() {
  for (const [target, { row }] of rows) row.style.setProperty("--colour", colour(target));
}

export function draw(seconds) {
  for (const [target, { lane, threshold }] of rows) lanes.draw(lane, target, threshold, seconds);
}
