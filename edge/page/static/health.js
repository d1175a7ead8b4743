// How the appliance is, in words: what is wrong first; and its pins.
import { by, el, notice, write } from "./dom.js";
import { command } from "./server.js";
import { W } from "./words.js";

let about = {}, counters = {};

function troubles() {
  const found = [];
  for (const part of ["source", "delegate", "update"]) if ((about[part] ?? "ok") !== "ok") found.push([W.parts[part], about[part]]);
  for (const [name, state] of Object.entries(about.sinks || {})) if (state !== "ok") found.push([W.parts[name] || name, state]);
  for (const problem of about.calibration?.problems || []) found.push([W.parts.calibration, problem]);
  return found;
}

function facts() {
  const told = [[W.parts.source, about.source], [W.model, about.model], [W.version, about.version]];
  for (const [name, state] of Object.entries(about.sinks || {})) if (name === "mqtt") told.push([W.parts.mqtt, state]);
  if (about.waiting_messages) told.push([W.waiting, W.messages(about.waiting_messages)]);
  if (counters.uptime_seconds) told.push([W.uptime, W.duration(counters.uptime_seconds)]);
  if (counters.lost_samples) told.push([W.lostSamples, counters.lost_samples]);
  if (counters.clipped_samples) told.push([W.clipped, counters.clipped_samples]);
  return told.filter(([, words]) => words);
}

function show() {
  const wrong = troubles();
  const line = (bad) => ([name, words]) => el("li", { class: bad ? "bad" : "" }, el("span", { class: "name", text: name }),
    el("span", { text: String(words) }));
  const lines = wrong.length ? wrong.map(line(true)) : [el("li", { class: "well", text: W.allWell })];
  const shown = new Set(wrong.map(([name]) => name));
  lines.push(...facts().filter(([name]) => !shown.has(name)).map(line(false)));
  const list = by("health");
  if (list.textContent !== lines.map((each) => each.textContent).join("")) list.replaceChildren(...lines);
}

export function hello(message) {
  about = message.about;
  by("device").textContent = message.device;
  document.title = `${message.device} · edge-audio`;
  state(about.muted ? "muted" : troubles().length ? "trouble" : "hearing");
  show();
}

export function health(message) {
  counters = message.health;
  show();
}

export function state(name) {
  document.body.dataset.state = name;
  write(by("state-words"), W[name]);
}

async function test(pin) {
  const told = await command("pin-test", { pin });
  notice(told.ok ? W.tested(pin) : W.refused(told), { bad: !told.ok, seconds: 5 });
}

export function pins(message) {
  const known = Object.entries(message.pins), list = by("pins");
  by("pins-card").hidden = !known.length;
  if ([...list.children].map((each) => each.dataset.pin).join() !== known.map(([pin]) => pin).join()) {
    list.replaceChildren(...known.map(([pin]) => el("li", { "data-pin": pin }, el("span", { class: "lamp", "aria-hidden": "true" }),
      el("span", { class: "name", text: pin }), el("span", { class: "figure" }),
      el("button", { type: "button", class: "button", text: W.test, "aria-label": W.testPin(pin), onclick: () => test(pin) }))));
  }
  for (const line of list.children) {
    const on = message.pins[line.dataset.pin];
    line.classList.toggle("on", on);
    write(line.querySelector(".figure"), on ? W.on : W.off);
  }
}
