// The settings as `edge-audio check` sees them: what is wrong first, each with what mends it.
import { by, el, write } from "./dom.js";
import { get } from "./server.js";
import { W } from "./words.js";

const problem = (told) => (typeof told === "string" ? told : W.failed(told));

// Of rows of one part below each other the first alone shows what part that is.
const line = ({ part, ok, text, advice }, at, all) => el("li", { class: `${ok ? "" : "bad"} ${all[at - 1]?.part === part ? "again" : ""}` },
  el("b", {}, el("span", { class: all[at - 1]?.part === part && "unseen", text: W.checks[part] || W.name(part) })),
  el("i", { text: ok ? "✓" : "✗", role: "img", "aria-label": ok ? W.isWell : W.isWrong }),
  el("span", {}, el("span", { text }), !ok && advice && el("em", { text: W.whatToDo(advice) })));

export async function open() {
  const said = by("settings-told");
  by("look-again").disabled = true;
  write(said, W.looking);
  said.classList.remove("bad");
  const told = await get("api/settings");
  by("look-again").disabled = false;
  const { rows = [], problems = [] } = told, wrong = rows.filter(({ ok }) => !ok), bad = problems.length + wrong.length;
  write(said, !told.ok ? W.refused(told) : bad ? W.settingsWrong(bad) : W.settingsWell);
  said.classList.toggle("bad", !told.ok || bad > 0);
  if (!told.ok) return;
  write(by("settings-file"), W.settingsFile(told.file));
  by("problems").replaceChildren(...problems.map((each) => el("li", { text: problem(each) })));
  by("checks").replaceChildren(...[...wrong, ...rows.filter(({ ok }) => ok)].map(line));
}

export function begin() {
  by("look-again").addEventListener("click", open);
}
