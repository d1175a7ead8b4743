// How loud a recording was from its start to its end, as a shape that lies about a middle line.
const SVG = "http://www.w3.org/2000/svg", HIGH = 40, LEAST_DB = 20;

// levels: whole dBFS; words: what it is called.
export function envelope(levels, words) {
  const low = Math.min(...levels), high = Math.max(...levels, low + LEAST_DB);
  const half = levels.map((level) => 1 + (HIGH / 2 - 2) * (level - low) / (high - low));
  const side = (sign) => half.map((value, at) => `${at} ${(HIGH / 2 + sign * value).toFixed(1)}`);
  const picture = document.createElementNS(SVG, "svg"), shape = document.createElementNS(SVG, "path");
  for (const [key, value] of Object.entries({ viewBox: `0 0 ${Math.max(1, levels.length - 1)} ${HIGH}`, preserveAspectRatio: "none",
    role: "img", "aria-label": words })) picture.setAttribute(key, value);
  shape.setAttribute("d", `M${[...side(-1), ...side(1).reverse()].join("L")}Z`);
  picture.append(shape);
  return picture;
}
