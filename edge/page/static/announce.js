// Tells a screen reader of events, without chatter: one line in five seconds at most.
import { by } from "./dom.js";
import { W } from "./words.js";

const PAUSE = 5000;
const counts = new Map();
let waiting = 0;

function speak() {
  waiting = 0;
  if (!counts.size) return;
  by("announcer").textContent = W.announce([...counts]);
  counts.clear();
  waiting = setTimeout(speak, PAUSE);
}

export function announce(message) {
  if (message.past || message.event.phase !== "start") return;
  counts.set(message.event.target, (counts.get(message.event.target) || 0) + 1);
  if (!waiting) waiting = setTimeout(speak, 300);
}
