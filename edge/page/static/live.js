// What is heard now: the messages of the stream in all their parts, and one loop that draws.
import { announce } from "./announce.js";
import { by, dark, el, notice, stand, write } from "./dom.js";
import { judgedAs, showNewest } from "./events.js";
import * as health from "./health.js";
import * as lanes from "./lanes.js";
import * as marks from "./marks.js";
import * as mute from "./mute.js";
import * as spectrogram from "./spectrogram.js";
import { on } from "./stream.js";
import * as targets from "./targets.js";
import { STEP, secondsIn, timeline } from "./timeline.js";
import { W } from "./words.js";

const HIGHEST = 3, EVENTS = 12;
let looping = 0, drawn = 0, away = false, looked = false, width = 0;

function level({ level_dbfs: loud, noise_dbfs: noise, gate_open: open, top }) {
  const meter = by("level"), share = (db) => Math.max(0, Math.min(1, db / 90 + 1));
  meter.style.setProperty("--level", share(loud));
  meter.style.setProperty("--noise", share(noise));
  meter.setAttribute("aria-valuenow", loud);
  meter.setAttribute("aria-valuetext", W.levelNow(loud, noise));
  write(by("level-figure"), W.dbfs(loud));
  write(by("noise"), W.noise(noise));
  write(by("gate"), open ? W.gateOpen : W.gateClosed);
  by("gate").classList.toggle("open", open);
  [...by("highest").children].forEach(({ firstChild, lastChild }, i) => {
    write(firstChild, top[i] ? W.name(top[i].label) : "");
    write(lastChild, top[i] ? W.probability(top[i].score) : "");
  });
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
  if (away) notice(W.back);
  away = false;
}

function forget() {
  for (const part of [timeline, spectrogram, marks, lanes]) part.forget();
}

function draw() {
  const now = by("spectrogram").clientWidth, span = secondsIn(now);
  if (now !== width) {
    width = now;
    by("seconds").replaceChildren(...Array.from({ length: Math.ceil(span / 2) }, (_, i) => {
      const label = el("span", { text: W.secondsAgo(2 * i) });
      label.style.right = `${200 * i / span}%`;
      return label;
    }));
  }
  timeline.flow();
  marks.draw(spectrogram.draw(span), width);
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
  if (looks) {
    forget();
    loop();
  }
}

export function begin() {
  by("highest").append(...Array.from({ length: HIGHEST }, () => el("li", {}, el("span"), el("span", { class: "figure" }))));
  spectrogram.labels();
  mute.begin();
  const serverGone = () => gone(W.noAnswer, "serverAway");
  on("noServer", serverGone);
  on("away", ({ reason }) => gone(W.awayNotice(reason), "away"));
  on("here", here);
  on("bye", serverGone);
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
  });
  on("hearing", (message) => {
    level(message);
    lanes.hear(message);
    targets.hear(message);
  });
  on("event", (message) => {
    if (looked) {
      marks.add(message);
      lanes.add(message);
    }
    if ("judged" in message) judgedAs(message.event.id, message.judged);
    showNewest(by("events"), message.event, EVENTS);
    by("no-events").hidden = true;
    announce(message);
  });
  on("judged", ({ events }) => Object.entries(events).forEach((each) => judgedAs(...each)));
  dark.addEventListener("change", forget);
}
