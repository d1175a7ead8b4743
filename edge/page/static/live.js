// What is heard now: the messages of the stream in all their parts, and one loop that draws.
import { announce } from "./announce.js";
import { by, calm, dark, el, notice, stand, write } from "./dom.js";
import { Newest } from "./events.js";
import * as health from "./health.js";
import * as lanes from "./lanes.js";
import * as marks from "./marks.js";
import * as mute from "./mute.js";
import * as spectrogram from "./spectrogram.js";
import { on } from "./stream.js";
import * as targets from "./targets.js";
import { RATE, STEP, secondsIn, timeline } from "./timeline.js";
import { W } from "./words.js";

const HIGHEST = 3;
let list = null, looping = 0, drawn = 0, away = false, looked = false, width = 0;

function level(message) {
  const meter = by("level"), share = (db) => Math.max(0, Math.min(1, (db + 90) / 90));
  meter.style.setProperty("--level", share(message.level_dbfs).toFixed(3));
  meter.style.setProperty("--noise", share(message.noise_dbfs).toFixed(3));
  meter.setAttribute("aria-valuenow", message.level_dbfs);
  meter.setAttribute("aria-valuetext", W.levelNow(message.level_dbfs, message.noise_dbfs));
  write(by("level-figure"), W.dbfs(message.level_dbfs));
  write(by("noise"), W.noise(message.noise_dbfs));
  write(by("gate"), message.gate_open ? W.gateOpen : W.gateClosed);
  by("gate").classList.toggle("open", message.gate_open);
  const highest = by("highest").children;
  for (let i = 0; i < HIGHEST; i += 1) {
    const told = message.top[i];
    write(highest[i].firstChild, told ? W.name(told.label) : "");
    write(highest[i].lastChild, told ? W.probability(told.score) : "");
  }
}

function gone(words, state) {
  away = true;
  health.state(state);
  stand(words, true);
  forget();
  write(by("veil"), W[state]);
  by("veil").hidden = false;
}

function here() {
  by("veil").hidden = true;
  stand("");
  if (away) notice(W.back, { seconds: 4 });
  away = false;
}

function forget() {
  timeline.forget();
  spectrogram.forget();
  marks.forget();
  lanes.forget();
}

function seconds() {
  const now = by("spectrogram").clientWidth;
  if (now !== width) {
    width = now;
    const span = secondsIn(width);
    by("seconds").firstElementChild.replaceChildren(...Array.from({ length: Math.floor((span - 1) / 2) + 1 }, (_, i) => {
      const label = el("span", { text: W.secondsAgo(2 * i) });
      label.style.right = `${200 * i / span}%`;
      return label;
    }));
  }
  return secondsIn(width);
}

function draw() {
  timeline.flow();
  const span = seconds();
  const view = spectrogram.draw(span);
  marks.draw(view, width);
  if (drawn % 2 === 0) targets.draw(span);
  drawn += 1;
}

function loop() {
  draw();
  looping = requestAnimationFrame(loop);
}

// Whether anybody looks: without, nothing is drawn.
export function look(looks) {
  if (looks === looked) return;
  looked = looks;
  cancelAnimationFrame(looping);
  looping = 0;
  if (looks) {
    forget();
    if (!calm.matches) loop();
  }
}

export function begin() {
  list = new Newest(by("events"), by("no-events"), 12);
  by("spectrogram").after(el("div", { id: "marks", class: "marks", "aria-hidden": "true" }));
  by("highest").append(...Array.from({ length: HIGHEST }, () => el("li", {}, el("span"), el("span", { class: "figure" }))));
  spectrogram.labels();
  mute.begin();
  on("server", ({ here: answers }) => { if (!answers) gone(W.serverNotice, "serverAway"); });
  on("away", ({ reason }) => gone(W.awayNotice(reason), "away"));
  on("here", here);
  on("bye", () => gone(W.serverNotice, "serverAway"));
  on("lost", ({ messages }) => notice(W.lost(messages), { seconds: 5 }));
  on("about", (message) => {
    health.hello(message);
    targets.about(message);
    mute.show(Boolean(message.about.muted));
    stand(message.about.muted ? W.mutedNow : "");
  });
  on("health", health.health);
  on("pins", health.pins);
  on("bands", (message) => {
    if (timeline.arrived(message.position + message.rows * STEP)) spectrogram.forget();
    spectrogram.add(message);
    if (calm.matches && looping === 0) draw();
  });
  on("hearing", (message) => {
    level(message);
    lanes.hear(message);
    targets.hear(message);
  });
  on("event", (message) => {
    if (!message.past || timeline.newest === null || message.start > timeline.newest - 20 * RATE) {
      marks.add(message);
      lanes.add(message);
    }
    list.show(message.event);
    announce(message);
  });
  const repaint = () => {
    for (const part of [spectrogram, marks, targets, list]) part.repaint();
  };
  dark.addEventListener("change", repaint);
}
