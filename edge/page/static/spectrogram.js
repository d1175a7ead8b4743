// The 64 bands as a picture that scrolls: each band's loudness over its own noise.
import { by, el, sized } from "./dom.js";
import { loudness } from "./palette.js";
import { STEP, strip } from "./timeline.js";

const BANDS = 64, ROWS = 1800, RANGE_DB = 56;
const mel = (hertz) => Math.log(1 + hertz / 700);

const ring = new OffscreenCanvas(ROWS, BANDS), ink = ring.getContext("2d");
let floor = null, last = 0;

export function forget() {
  floor = null;
  ink.clearRect(0, 0, ROWS, BANDS);
}

// Rows of a message: bytes, row by row, the lowest band first.
export function add({ position, rows, cells, step_db, offset_db }) {
  const levels = Float32Array.from(atob(cells), (letter) => letter.charCodeAt(0) * step_db + offset_db);
  const begins = Math.round(position / STEP), table = loudness();
  if (!floor) {
    floor = Float32Array.from({ length: BANDS }, (_, band) => levels.filter((_level, at) => at % BANDS === band).sort()[rows >> 2]);
    last = begins;
  }
  for (let row = Math.max(last, begins - ROWS); row < begins; row += 1) ink.clearRect(row % ROWS, 0, 1, BANDS); // a gap
  for (let row = 0; row < rows; row += 1) {
    const picture = new ImageData(1, BANDS);
    for (let band = 0; band < BANDS; band += 1) {
      const level = levels[row * BANDS + band];
      floor[band] += level > floor[band] ? 0.005 : -0.05;
      const shade = Math.max(0, Math.min(255, Math.round((level - floor[band] - 1) / RANGE_DB * 255))) * 4;
      picture.data.set(table.subarray(shade, shade + 4), (BANDS - 1 - band) * 4);
    }
    ink.putImageData(picture, (begins + row) % ROWS, 0);
  }
  last = begins + rows;
}

export function draw(seconds) {
  const { pen, width, height } = sized(by("spectrogram"));
  const view = strip(width, seconds), scale = view.scale * STEP, end = view.head / STEP;
  pen.fillStyle = `rgb(${loudness().subarray(0, 3).join()})`;
  pen.fillRect(0, 0, width, height);
  if (!floor) return view;
  for (let row = Math.max(end - view.span / STEP, last - ROWS, 0); row < end;) {
    const rows = Math.min(end - row, ROWS - row % ROWS);
    pen.drawImage(ring, row % ROWS, 0, rows, BANDS, width - (end - row) * scale, 0, rows * scale, height);
    row += rows;
  }
  return view;
}

export function labels() {
  by("hertz").append(...[250, 500, 1000, 2000, 4000].map((hertz) => {
    const label = el("span", { text: hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz` });
    label.style.top = `${100 * (mel(7500) - mel(hertz)) / (mel(7500) - mel(125))}%`;
    return label;
  }));
}
