// A lane for each target, below the spectrogram and in time with it: its probability, its threshold, its events.
import { sized } from "./dom.js";
import { colour } from "./palette.js";
import { strip } from "./timeline.js";

const KEPT = 400;
const curves = new Map(); // target: [position, probability or null]
const events = new Map(); // target: Map of id: [start, end or null]

const of = (map, target, made) => map.get(target) || map.set(target, made).get(target);

export function forget() {
  curves.clear();
  events.clear();
}

// The probability stands at the middle of its patch: there the sound is.
export function hear({ start, end, targets }) {
  for (const { target, probability } of targets) {
    const curve = of(curves, target, []);
    curve.push([(start + end) / 2, probability]);
    if (curve.length > KEPT) curve.shift();
  }
}

export function add({ event, start, end }) {
  of(events, event.target, new Map()).set(event.id, [start, end]);
}

export function draw(canvas, target, threshold, seconds) {
  const { pen, width, height } = sized(canvas), view = strip(width, seconds), begins = view.head - view.span;
  const y = (probability) => height - 1 - probability * (height - 3);
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = colour(target, 0.3);
  pen.beginPath();
  let x = null;
  for (const [position, probability] of curves.get(target) || []) {
    if (position < begins || position > view.head) continue;
    if (probability === null) {
      if (x !== null) pen.lineTo(x, height);
      x = null;
      continue;
    }
    if (x === null) pen.moveTo(view.x(position), height);
    x = view.x(position);
    pen.lineTo(x, y(probability));
  }
  if (x !== null) pen.lineTo(x, height);
  pen.fill();
  if (threshold !== null) for (x = 0; x < width; x += 6) pen.fillRect(x, Math.round(y(threshold)), 2, 1);
  pen.fillStyle = colour(target, 0.9);
  const own = events.get(target) || new Map();
  for (const [id, [start, end]] of own) {
    const from = view.x(Math.max(start, begins)), to = view.x(Math.min(end ?? view.head, view.head));
    if (to < 0) own.delete(id);
    else if (from <= width) {
      pen.beginPath();
      pen.roundRect(from - 1, 3, Math.max(4, to - from), height - 6, 2);
      pen.fill();
    }
  }
}
