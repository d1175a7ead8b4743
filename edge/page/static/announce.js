// Tells a screen reader of events, without chatter: at most one line in five seconds, with what has come since.
import { by } from "./dom.js";
import { W } from "./words.js";

const PAUSE = 5000;
const counts = new Map();
let waiting = 0;

function speak() {
  if (!counts.size) {
    waiting = 0;
    return;
  }
  by("announcer").textContent = W.announce([...counts]);
  counts.clear();
  waiting = setTimeout(speak, PAUSE);
}

export function announce(message) {
  if (message.past || message.event.phase !== "start") return;
  counts.set(message.event.target, (counts.get(message.event.target) || 0) + 1);
  if (!waiting) waiting = setTimeout(speak, 300);
}
