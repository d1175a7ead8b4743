// Mute for some time, and unmute.
import { by, el, notice } from "./dom.js";
import { command } from "./server.js";
import { W } from "./words.js";

let muted = false;

async function tell(verb, fields) {
  by("mute-menu").hidePopover();
  const told = await command(verb, fields);
  if (told.ok) show(told.muted);
  else notice(W.refused(told), { bad: true });
}

export function begin() {
  by("mute-menu").append(...W.mutes.map(([seconds, words]) => el("button", { class: "button", text: words,
    onclick: () => tell("mute", seconds === null ? {} : { seconds }) })));
  by("mute").addEventListener("click", (press) => {
    if (!muted) return;
    press.preventDefault();
    tell("unmute");
  });
  show(false);
}

export function show(on) {
  muted = on;
  const button = by("mute");
  button.textContent = on ? W.unmute : W.mute;
  button.classList.toggle("strong", on);
  if (on) button.removeAttribute("popovertarget");
  else button.setAttribute("popovertarget", "mute-menu");
}
