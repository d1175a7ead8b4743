// The 64 bands as a picture that scrolls: each band's loudness over its own noise.
import { by, el, sized } from "./dom.js";
import { loudness } from "./palette.js";
import { STEP, strip } from "./timeline.js";

const BANDS = 64, ROWS = 1800, RANGE_DB = 56;
const LOWEST_HZ = 125, HIGHEST_HZ = 7500;
const mel = (hertz) => 1127 * Math.log(1 + hertz / 700);

const ring = new OffscreenCanvas(ROWS, BANDS);
const ink = ring.getContext("2d");
const shades = new Uint8Array(ROWS * BANDS); // what was drawn, for another theme
const floor = new Float32Array(BANDS);
let begun = false, last = 0;

export function forget() {
  begun = false;
  shades.fill(0);
  ink.clearRect(0, 0, ROWS, BANDS);
}

function settle(cells, rows, step, offset) {
  for (let band = 0; band < BANDS; band += 1) {
    const values = [];
    for (let row = 0; row < rows; row += 1) values.push(cells[row * BANDS + band]);
    floor[band] = values.sort((a, b) => a - b)[rows >> 2] * step + offset;
  }
  begun = true;
}

function paint(first, rows) {
  const table = loudness(), picture = new ImageData(rows, BANDS);
  for (let row = 0; row < rows; row += 1) {
    for (let band = 0; band < BANDS; band += 1) {
      const shade = shades[(first + row) * BANDS + band] * 4, at = ((BANDS - 1 - band) * rows + row) * 4;
      picture.data.set(table.subarray(shade, shade + 4), at);
    }
  }
  ink.putImageData(picture, first, 0);
}

// Rows of a message: bytes, row by row, the lowest band first.
export function add(told) {
  const cells = Uint8Array.from(atob(told.cells), (letter) => letter.charCodeAt(0));
  const begins = Math.round(told.position / STEP);
  if (!begun) settle(cells, told.rows, told.step_db, told.offset_db);
  else for (let row = last; row < begins && row < last + ROWS; row += 1) blank(row % ROWS);
  for (let row = 0; row < told.rows; row += 1) {
    const place = (begins + row) % ROWS;
    for (let band = 0; band < BANDS; band += 1) {
      const value = cells[row * BANDS + band] * told.step_db + told.offset_db;
      floor[band] += value > floor[band] ? 0.005 : -0.05;
      shades[place * BANDS + band] = Math.max(0, Math.min(255, (value - floor[band] - 1) / RANGE_DB * 255));
    }
  }
  last = begins + told.rows;
  for (let row = 0; row < told.rows;) {
    const place = (begins + row) % ROWS, rows = Math.min(told.rows - row, ROWS - place);
    paint(place, rows);
    row += rows;
  }
}

function blank(place) {
  shades.fill(0, place * BANDS, (place + 1) * BANDS);
  paint(place, 1);
}

export function repaint() {
  if (begun) paint(0, ROWS);
}

function piece(pen, from, to, x, scale, height) {
  for (let row = from; row < to;) {
    const place = ((row % ROWS) + ROWS) % ROWS, rows = Math.min(to - row, ROWS - place);
    pen.drawImage(ring, place, 0, rows, BANDS, x + (row - from) * scale, 0, rows * scale, height);
    row += rows;
  }
}

export function draw(seconds) {
  const { pen, width, height } = sized(by("spectrogram"));
  const view = strip(width, seconds), scale = view.scale * STEP;
  const end = view.head / STEP, rows = view.span / STEP, begin = Math.max(end - rows, last - ROWS);
  pen.fillStyle = `rgb(${loudness().subarray(0, 3).join()})`;
  pen.fillRect(0, 0, width, height);
  if (!begun) return view;
  if (view.sweep) {
    const turn = end - view.cut / scale;
    piece(pen, turn, end, 0, scale, height);
    if (begin < turn) piece(pen, Math.max(begin, turn - rows + (end - turn) + 8), turn, view.cut + 8 * scale, scale, height);
  } else {
    piece(pen, begin, end, width - (end - begin) * scale, scale, height);
  }
  return view;
}

export function labels() {
  const place = (hertz) => 100 * (1 - (mel(hertz) - mel(LOWEST_HZ)) / (mel(HIGHEST_HZ) - mel(LOWEST_HZ)));
  by("hertz").replaceChildren(...[250, 500, 1000, 2000, 4000].map((hertz) => {
    const label = el("span", { text: hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz` });
    label.style.top = `${place(hertz)}%`;
    return label;
  }));
}
