// Colours: of loudness, and of targets, in both themes.
import { dark } from "./dom.js";

const STOPS = {
  dark: [[0, 0x0d, 0x13, 0x1a], [0.12, 0x12, 0x24, 0x33], [0.34, 0x1b, 0x52, 0x66], [0.56, 0x36, 0x98, 0x8e], [0.76, 0xe9, 0xb9, 0x54],
    [0.9, 0xfb, 0xe3, 0xa6], [1, 0xff, 0xfd, 0xf2]],
  light: [[0, 0xfb, 0xfb, 0xf8], [0.12, 0xe9, 0xf0, 0xef], [0.34, 0xb4, 0xd5, 0xd3], [0.56, 0x4f, 0xa0, 0xa3], [0.76, 0x1d, 0x5f, 0x78],
    [0.9, 0x21, 0x2c, 0x55], [1, 0x1a, 0x0e, 0x2e]],
};

function mixed(stops) {
  const table = new Uint8ClampedArray(256 * 4);
  for (let at = 0, stop = 0; at < 256; at += 1) {
    const share = at / 255;
    while (share > stops[stop + 1][0]) stop += 1;
    const [from, ...low] = stops[stop], [to, ...high] = stops[stop + 1];
    const mix = (share - from) / (to - from);
    table.set([...low.map((value, i) => value + mix * (high[i] - value)), 255], at * 4);
  }
  return table;
}

const tables = { dark: mixed(STOPS.dark), light: mixed(STOPS.light) };
export const loudness = () => (dark.matches ? tables.dark : tables.light);

const HUES = [72, 195, 330, 140, 265, 25, 225, 105, 355, 165, 300, 48];
const names = new Map();

// A target keeps its colour while the page is open; the order of the targets decides.
export function hue(target) {
  if (!names.has(target)) names.set(target, HUES[names.size % HUES.length]);
  return names.get(target);
}

export const colour = (target, alpha = 1) =>
  `oklch(${dark.matches ? "0.79 0.13" : "0.54 0.14"} ${hue(target)} / ${alpha})`;
