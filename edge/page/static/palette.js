// Colours: of loudness, and of targets, in both themes.
import { dark } from "./dom.js";

const HUES = [72, 195, 330, 140, 265, 25, 225, 105, 355, 165, 300, 48];
const AT = [0, 31, 87, 143, 194, 230, 255];
const names = new Map();

// A table of 256 colours, through seven that stand at AT.
function mixed(stops) {
  const table = new Uint8ClampedArray(1024);
  const rgb = stops.split(" ").map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  for (let shade = 0, i = 0; shade < 256; shade += 1) {
    while (shade > AT[i + 1]) i += 1;
    const mix = (shade - AT[i]) / (AT[i + 1] - AT[i]);
    table.set([...rgb[i].map((low, part) => low + mix * (rgb[i + 1][part] - low)), 255], shade * 4);
  }
  return table;
}

const DARK = mixed("0d131a 122433 1b5266 36988e e9b954 fbe3a6 fffdf2");
const LIGHT = mixed("fbfbf8 e9f0ef b4d5d3 4fa0a3 1d5f78 212c55 1a0e2e");
export const loudness = () => (dark.matches ? DARK : LIGHT);

// A target keeps its colour while the page is open; the order of the targets decides.
export function hue(target) {
  if (!names.has(target)) names.set(target, HUES[names.size % HUES.length]);
  return names.get(target);
}

export const colour = (target, alpha) => `oklch(${dark.matches ? "0.79 0.13" : "0.52 0.14"} ${hue(target)} / ${alpha})`;
