// The threshold of a target: a line in its bar, to drag or to move by keys.
import { el } from "./dom.js";
import * as expect from "./expect.js";
import { W } from "./words.js";

const LOWEST = 0.01, KEYS_SETTLE = 700;
const STEPS = { ArrowRight: 0.01, ArrowUp: 0.01, ArrowLeft: -0.01, ArrowDown: -0.01, PageUp: 0.1, PageDown: -0.1, Home: -1, End: 1 };
const held = (value) => Math.round(Math.max(LOWEST, Math.min(1, value)) * 100) / 100;

// commit: told the threshold once the owner lets go. Gives a function to tell what the appliance says, and who set that.
export function slider(target, bar, commit) {
  let at = 0, said = [0, ""], busy = false, settling = 0;
  const thumb = el("span", { class: "thumb", role: "slider", tabindex: "0", "aria-label": W.threshold(target), "aria-valuemin": LOWEST,
    "aria-valuemax": "1" });
  bar.append(thumb);

  function put(value) {
    at = value;
    bar.style.setProperty("--threshold", at);
    thumb.title = W.thresholdValue(at, said[1]);
    thumb.setAttribute("aria-valuenow", at.toFixed(2));
    thumb.setAttribute("aria-valuetext", thumb.title);
    expect.follow(target, at);
  }

  async function done() {
    settling = 0;
    const wanted = at;
    const taken = await commit(wanted);
    if (at !== wanted || settling) return;
    busy = false;
    if (!taken || said[0] === at) put(said[0]);
  }

  const show = () => expect.show(target, bar, thumb, at);
  thumb.addEventListener("focus", show);
  thumb.addEventListener("blur", expect.hide);
  thumb.addEventListener("pointerdown", (press) => {
    press.preventDefault();
    if (document.activeElement === thumb) show();
    else thumb.focus({ preventScroll: true });
    thumb.setPointerCapture(press.pointerId);
    const begun = at;
    busy = true;
    thumb.onpointermove = ({ clientX }) => {
      const box = bar.getBoundingClientRect();
      put(held((clientX - box.left) / box.width));
    };
    thumb.onpointerup = thumb.onpointercancel = ({ type }) => {
      thumb.onpointermove = thumb.onpointerup = thumb.onpointercancel = null;
      if (type === "pointercancel") put(begun);
      if (at === begun) busy = false;
      else done();
    };
  });

  thumb.addEventListener("keydown", (key) => {
    const step = STEPS[key.key];
    if (key.key === "Escape") expect.hide();
    if (!step || key.ctrlKey || key.altKey || key.metaKey) return;
    key.preventDefault();
    busy = true;
    put(held(at + step));
    clearTimeout(settling);
    settling = setTimeout(done, KEYS_SETTLE);
  });

  return (...told) => {
    said = told;
    if (!busy) put(told[0]);
    return at;
  };
}
