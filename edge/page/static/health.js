// How the appliance is, in words: what is wrong first; and its pins.
import { by, el, notice, write } from "./dom.js";
import { command } from "./server.js";
import { W } from "./words.js";

let about = {}, counters = {};

const well = (state) => /^ok(;|$)/.test(state ?? "ok");

function show() {
  const parts = Object.entries({ source: about.source, pace: about.pace, delegate: about.delegate, update: about.update, ...about.sinks });
  const wrong = [...parts.filter(([, state]) => !well(state)), ...(about.calibration?.problems || []).map((each) => ["calibration", each])];
  const facts = [...parts.filter(([name, state]) => ["source", "mqtt"].includes(name) && well(state)), ["model", about.model],
    ["version", about.version], ["waiting_messages", about.waiting_messages], ["uptime_seconds", W.duration(counters.uptime_seconds || 0)],
    ["lost_samples", counters.lost_samples]].filter(([, words]) => words);
  const line = (bad) => ([name, words]) => el("li", { class: bad }, el("span", { class: "name", text: W.parts[name] || name }),
    el("span", { text: words }));
  const lines = [...wrong.length ? wrong.map(line("bad")) : [el("li", { class: "well", text: W.allWell })], ...facts.map(line(""))];
  const list = by("health");
  if (list.textContent !== lines.map((each) => each.textContent).join("")) list.replaceChildren(...lines);
  return wrong;
}

export function hello(message) {
  about = message.about;
  by("device").textContent = message.device;
  document.title = `${message.device} · edge-audio`;
  const wrong = show();
  state(about.muted ? "muted" : wrong.length ? "trouble" : "hearing", wrong[0]?.[0]);
}

export function health(message) {
  counters = message.health;
  show();
}

export function state(name, part) {
  document.body.dataset.state = name;
  write(by("state-words"), part && name === "trouble" ? `${W.trouble}: ${W.parts[part] || part}` : W[name]);
}

async function test(pin) {
  const told = await command("pin-test", { pin });
  notice(told.ok ? W.tested(pin) : W.refused(told), { bad: !told.ok });
}

export function pins(message) {
  const known = Object.keys(message.pins), list = by("pins");
  by("pins-card").hidden = !known.length;
  if ([...list.children].map((each) => each.dataset.pin).join() !== known.join()) {
    list.replaceChildren(...known.map((pin) => el("li", { "data-pin": pin }, el("span", { class: "lamp" }),
      el("span", { class: "name", text: pin }), el("span", { class: "figure" }),
      el("button", { class: "button", text: W.test, "aria-label": W.testPin(pin), onclick: () => test(pin) }))));
  }
  for (const line of list.children) {
    const on = message.pins[line.dataset.pin];
    line.classList.toggle("on", on);
    write(line.querySelector(".figure"), on ? W.on : W.off);
  }
}
