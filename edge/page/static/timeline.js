// Where a position stands on the screen. Positions come in steps of a hop; the clock makes them flow.
import { calm } from "./dom.js";

export const RATE = 16000, STEP = 160;
const LONGEST = 0.35; // seconds that the picture waits for rows, at most

export const timeline = {
  forget() {
    this.newest = null; // the position behind the newest row
    this.head = 0; // the position at the right edge
    this.offset = this.jitter = this.step = 0;
  },

  // Rows up to `position` have come. True where the positions began anew.
  arrived(position) {
    const anew = this.newest === null || position < this.newest - RATE, behind = performance.now() * RATE / 1000 - position;
    if (anew) this.forget();
    if (anew || behind - this.offset > RATE) Object.assign(this, { offset: behind, jitter: 0 });
    this.offset = Math.min(behind, this.offset + 4);
    this.jitter = Math.max(behind - this.offset, this.jitter * 0.98);
    if (anew) this.head = position;
    else this.step = Math.max(Math.min(position - this.newest, RATE / 4), this.step * 0.98);
    this.newest = position;
    return anew;
  },

  // Moves the right edge, so late that the next rows come before they are wanted; with reduced motion in steps of 2 s.
  flow() {
    if (this.newest === null) return;
    const smooth = performance.now() * RATE / 1000 - this.offset - Math.min(this.jitter + this.step, LONGEST * RATE);
    if (calm.matches) this.head += Math.floor((this.newest - this.head) / RATE / 2) * RATE * 2;
    else this.head = Math.max(Math.min(this.newest, smooth), Math.min(this.head, this.newest), this.newest - RATE);
  },
};
timeline.forget();

// How a strip of `width` pixels shows the last seconds.
export function strip(width, seconds) {
  const span = seconds * RATE, { head } = timeline, scale = width / span;
  return { span, head, scale, x: (position) => width + (position - head) * scale };
}

// A second takes as much room on a phone as on a desk.
export const secondsIn = (width) => Math.min(16, Math.max(5, Math.round(width / 75)));
