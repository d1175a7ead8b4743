// A lane for each target, below the spectrogram and in time with it: its probability, its threshold, its events.
import { sized } from "./dom.js";
import { colour } from "./palette.js";
import { strip } from "./timeline.js";

const KEPT = 400;
const curves = new Map(); // target: [position, probability or null]
const events = new Map(); // target: Map of id: [start, end or null]

const of = (map, target, made) => map.get(target) || map.set(target, made()).get(target);

export function forget() {
  curves.clear();
  events.clear();
}

// The probability stands at the middle of its patch: there the sound is.
export function hear(message) {
  const middle = (message.start + message.end) / 2;
  for (const told of message.targets) {
    const curve = of(curves, told.target, () => []);
    curve.push([middle, told.probability]);
    if (curve.length > KEPT) curve.shift();
  }
}

export function add(message) {
  of(events, message.event.target, () => new Map()).set(message.event.id, [message.start, message.end]);
}

function area(pen, curve, view, height) {
  let begun = false, x = 0;
  pen.beginPath();
  for (const [position, probability] of curve) {
    if (position < view.head - view.span || position > view.head) continue;
    const next = view.x(position);
    if (begun && (probability === null || next < x)) {
      pen.lineTo(x, height);
      begun = false;
    }
    if (probability === null) continue;
    if (!begun) pen.moveTo(next, height);
    begun = true;
    x = next;
    pen.lineTo(x, height - 1 - probability * (height - 3));
  }
  if (begun) pen.lineTo(x, height);
  pen.fill();
}

export function draw(canvas, target, threshold, seconds) {
  const { pen, width, height } = sized(canvas);
  const view = strip(width, seconds);
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = colour(target, 0.3);
  area(pen, curves.get(target) || [], view, height);
  if (threshold !== null) {
    pen.strokeStyle = colour(target, 0.55);
    pen.setLineDash([2, 4]);
    pen.beginPath();
    const y = Math.round(height - 1 - threshold * (height - 3)) + 0.5;
    pen.moveTo(0, y);
    pen.lineTo(width, y);
    pen.stroke();
    pen.setLineDash([]);
  }
  const own = events.get(target) || new Map();
  pen.fillStyle = colour(target, 0.9);
  for (const [id, [start, end]] of own) {
    if ((end ?? view.head) < view.head - view.span) {
      own.delete(id);
      continue;
    }
    const x = view.x(Math.max(start, view.head - view.span + 1)), long = ((end ?? view.head) - start) * view.scale;
    pen.beginPath();
    pen.roundRect(x - 1, 3, Math.max(4, Math.min(long, width - x)), height - 6, 2);
    pen.fill();
  }
}
