// The threshold of a target: a line in its bar, to drag or to move by keys.
import { el } from "./dom.js";
import { W } from "./words.js";

const LOWEST = 0.01, KEYS_SETTLE = 700;
const STEPS = { ArrowRight: 0.01, ArrowUp: 0.01, ArrowLeft: -0.01, ArrowDown: -0.01, PageUp: 0.1, PageDown: -0.1, Home: -1, End: 1 };
const held = (value) => Math.round(Math.max(LOWEST, Math.min(1, value)) * 100) / 100;

// commit: told the threshold once the owner has let go. `show` is what the appliance says; it waits while somebody drags.
export function slider(target, bar, commit) {
  let at = 0, by = "", busy = false, settling = 0;
  const thumb = el("span", { class: "thumb", role: "slider", tabindex: "0", "aria-label": W.threshold(target),
    "aria-valuemin": LOWEST, "aria-valuemax": "1", "data-target": target });
  bar.append(thumb);

  function put(value) {
    at = value;
    bar.style.setProperty("--threshold", at);
    thumb.setAttribute("aria-valuenow", at.toFixed(2));
    thumb.setAttribute("aria-valuetext", W.thresholdValue(at, by));
    thumb.title = W.thresholdValue(at, by);
  }

  function done() {
    settling = 0;
    const wanted = at;
    Promise.resolve(commit(wanted)).finally(() => { if (at === wanted && !settling) busy = false; });
  }

  thumb.addEventListener("pointerdown", (press) => {
    thumb.setPointerCapture(press.pointerId);
    thumb.focus({ preventScroll: true });
    press.preventDefault();
    busy = true;
    bar.classList.add("dragged");
    const begun = at;
    const move = (moved) => {
      const box = bar.getBoundingClientRect();
      put(held((moved.clientX - box.left) / box.width));
    };
    const end = (ended) => {
      thumb.removeEventListener("pointermove", move);
      bar.classList.remove("dragged");
      if (ended.type === "pointerup" && at !== begun) done();
      else {
        put(begun);
        busy = false;
      }
    };
    thumb.addEventListener("pointermove", move);
    thumb.addEventListener("pointerup", end, { once: true });
    thumb.addEventListener("pointercancel", end, { once: true });
  });

  thumb.addEventListener("keydown", (key) => {
    const step = STEPS[key.key];
    if (!step || key.ctrlKey || key.altKey || key.metaKey) return;
    key.preventDefault();
    busy = true;
    put(held(at + step));
    clearTimeout(settling);
    settling = setTimeout(done, KEYS_SETTLE);
  });

  return (value, whence) => {
    by = whence;
    if (!busy && (value !== at || !thumb.hasAttribute("aria-valuenow"))) put(value);
    return at;
  };
}
