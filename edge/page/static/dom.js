// Elements.
import { W } from "./words.js";

export const by = (id) => document.getElementById(id);

export function el(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (key === "text") made.textContent = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child));
  return made;
}

export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function fillWords() {
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = W[node.dataset.word];
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", W[node.dataset.label]);
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");
export const dark = matchMedia("(prefers-color-scheme: dark)");

// A canvas with as many pixels as the screen has; its size in CSS pixels.
export function sized(canvas) {
  const scale = devicePixelRatio, { clientWidth: width, clientHeight: height } = canvas;
  const wide = Math.round(width * scale), high = Math.round(height * scale);
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  return { pen, width, height };
}

let standing = ["", false], hiding = 0;

function put(text, bad) {
  const line = by("notice");
  write(line, text);
  line.hidden = !text;
  line.classList.toggle("bad", bad);
}

// The line at the top: what holds until it is taken back. Good news waits for a notice's end.
export function stand(text, bad = false) {
  standing = [text, bad];
  if (bad) clearTimeout(hiding);
  if (bad || !hiding) {
    hiding = 0;
    put(text, bad);
  }
}

// For some seconds: what an answer says.
export function notice(text, { bad = false, seconds = 5 } = {}) {
  clearTimeout(hiding);
  put(text, bad);
  hiding = setTimeout(() => {
    hiding = 0;
    put(...standing);
  }, seconds * 1000);
}

export const clock = (date, parts = { hour: "2-digit", minute: "2-digit", second: "2-digit" }) =>
  new Intl.DateTimeFormat(undefined, { hourCycle: "h23", ...parts }).format(date);
