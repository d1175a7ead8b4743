// The lesson that runs, teach or calibrate: a program of the board, which says line by line how far it is.
import { by, el, notice, write } from "./dom.js";
import { get, post } from "./server.js";
import { on } from "./stream.js";
import { W } from "./words.js";

const OVER = ["kept", "dropped", "error"], PASSING = ["level", "progress"];
export const job = { running: false, kind: null, name: null, lines: [] };
const ears = [];
let meanwhile = null, turn = () => {};

export const newest = (...kinds) => job.lines.findLast(({ kind }) => kinds.includes(kind));

function change(line) {
  for (const ear of ears) ear(line);
  turn();
}

// A line of the stream. One that GET api/lesson told already is known.
function take(line) {
  meanwhile?.push(line);
  if (line.kind === "begun") Object.assign(job, { running: true, kind: line.job, name: line.name, lines: [] });
  const text = JSON.stringify(line);
  if (job.lines.some((each) => JSON.stringify(each) === text)) return;
  if (!job.lines.length && line.kind !== "begun") {
    look();
    return;
  }
  job.lines = [...job.lines.filter(({ kind }) => kind !== line.kind || !PASSING.includes(kind)), line];
  if (line.kind === "ended") job.running = false;
  change(line);
}

// Asks how it stands. What the stream tells until the answer is here is newer than the answer.
export async function look() {
  const ran = job.running;
  meanwhile = [];
  const told = await get("api/lesson"), newer = meanwhile;
  meanwhile = null;
  if (!told.ok) return;
  Object.assign(job, { running: told.running, kind: told.kind || job.kind, name: told.name, lines: told.running || ran ? told.lines : [] });
  change(newest(...OVER, "ended") || (ran && !told.running ? { kind: "ended", reason: W.serverEnded } : null));
  newer.forEach(take);
}

export function begin(changed) {
  turn = changed;
  on("lesson", ({ line }) => take(line));
  on("hello", look);
  on("bye", () => { if (job.running) take({ kind: "ended", reason: W.serverEnded }); });
}

// What both views have: a form, what is heard, an outcome, an answer. Of `kind` are the ids of the view's parts.
// fields: what the form asks for. draw: told each line, draws the view's own part. refused: whether the outcome is.
export function view(kind, { fields, title, draw, refused = () => false, over = () => {} }) {
  const part = (name) => by(`${kind}-${name}`);
  let asked = false;

  const buttons = Object.fromEntries(["keep", "discard", "stopIt"].map((name) => [name, el("button", { class: "button", text: W[name],
    type: "button", onclick: () => answer(name) })]));
  part("answers").append(...Object.values(buttons));

  async function answer(name) {
    const said = name === "discard" ? "drop" : refused() ? "force" : "keep";
    asked = true;
    paint();
    const told = name === "stopIt" ? await post("api/lesson/stop") : await post("api/lesson/answer", { answer: said });
    if (told.ok) return;
    asked = false;
    notice(W.refused(told), { bad: true });
    await look();
  }

  function say(text, bad = false) {
    write(part("told"), text);
    part("told").classList.toggle("bad", bad);
  }

  function result(line) {
    if (line.kind === "kept") say(W.kept[kind](line));
    else if (line.kind === "dropped") say(W.dropped);
    else if (line.kind === "error") say(W.failed(line), true);
    else if (!newest(...OVER)) say(W.ended(line.reason), true);
    else return;
    over();
  }

  function paint(line = null) {
    const mine = job.kind === kind, runs = mine && job.running && !newest(...OVER), told = runs && newest("outcome");
    const active = document.activeElement, pressed = active === buttons.stopIt;
    const left = !runs && !part("run").hidden && (active === document.body || part("run").contains(active));
    if (line?.kind === "begun" || line?.kind === "outcome") asked = false;
    if (mine && line && [...OVER, "ended"].includes(line.kind)) result(line);
    else if (runs && line?.kind === "begun") say("");
    else if (job.running && !mine) say(W.otherRuns[job.kind](job.name));
    else if (part("told").textContent === W.otherRuns[job.kind]?.(job.name)) say("");
    part("form").hidden = Boolean(runs);
    part("form").querySelector("button").disabled = job.running;
    part("run").hidden = !runs;
    if (runs) {
      write(part("title"), title(told));
      write(part("through"), W.through[newest("listening", "hearing")?.through] || "");
      draw(line, told);
      if (asked) write(part("say"), W.answering);
    }
    buttons.keep.hidden = buttons.discard.hidden = !told;
    buttons.stopIt.hidden = Boolean(told);
    write(buttons.keep, told && refused() ? W.force : W.keep);
    buttons.keep.classList.toggle("strong", !refused());
    buttons.discard.classList.toggle("strong", refused());
    for (const each of Object.values(buttons)) each.disabled = asked;
    if (line?.kind === "outcome") write(by("announcer"), title(told));
    if (left) part("told").focus();
    else if (told && pressed) part("title").focus();
  }

  part("form").addEventListener("submit", async (press) => {
    press.preventDefault();
    say("");
    const told = await post("api/lesson", { kind, ...fields() });
    if (!told.ok) say(W.refused(told), true);
    await look();
    if (told.ok) part("title").focus();
  });
  ears.push(paint);
  paint();
}
