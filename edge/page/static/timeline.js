// Where a position stands on the screen. Positions come in steps of a hop; the clock makes them flow.
import { calm } from "./dom.js";

export const RATE = 16000, STEP = 160;
const SLOWEST = 0.3;

export class Timeline {
  constructor() {
    this.forget();
  }

  forget() {
    this.newest = null; // the position behind the newest row
    this.head = 0; // the position at the right edge
    this.offset = Infinity;
    this.jitter = 0;
  }

  // Rows up to `position` have come. True where the positions began anew.
  arrived(position, now = performance.now()) {
    const anew = this.newest === null || position < this.newest - RATE;
    if (anew) this.forget();
    const behind = now * RATE / 1000 - position;
    if (anew || behind - this.offset > RATE) Object.assign(this, { offset: behind, jitter: 0 });
    this.offset = Math.min(behind, this.offset + 4);
    this.jitter = Math.max(behind - this.offset, this.jitter * 0.98);
    this.newest = position;
    if (anew) this.head = position;
    return anew;
  }

  // The position at the right edge now: as late as the slowest rows of late, so that none is missing there.
  flow(now = performance.now()) {
    if (this.newest === null) return 0;
    const smooth = now * RATE / 1000 - this.offset - Math.min(this.jitter, SLOWEST * RATE);
    this.head = Math.max(Math.min(this.newest, smooth), Math.min(this.head, this.newest));
    if (this.newest - this.head > RATE) this.head = this.newest;
    return this.head;
  }
}

export const timeline = new Timeline();

// How a strip of `width` pixels shows the last seconds: scrolling, or (reduced motion) written over from left to right.
export function strip(width, seconds) {
  const span = seconds * RATE, head = timeline.head, scale = width / span;
  if (!calm.matches) return { span, head, x: (position) => width + (position - head) * scale, scale, sweep: false };
  const begins = Math.floor(head / span) * span;
  return { span, head, x: (position) => (position - begins + (position < begins ? span : 0)) * scale, scale, sweep: true,
    cut: (head - begins) * scale };
}

// Half a second of sound takes as much room on a phone as on a desk.
export const secondsIn = (width) => Math.min(16, Math.max(5, Math.round(width / 75)));
