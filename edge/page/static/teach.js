// Teach a sound: make it some times, see what was taken and how well it will be heard, keep it.
import { by, clock, el, notice, write } from "./dom.js";
import { envelope } from "./envelope.js";
import { job, newest, view } from "./lesson.js";
import { get, post } from "./server.js";
import { W } from "./words.js";

const share = (db) => Math.max(0, Math.min(1, db / 90 + 1));

function level({ level_dbfs: loud, room_dbfs: room, hearing }) {
  const meter = by("hear-level"), words = W.levelOver(loud, room);
  meter.style.setProperty("--level", share(loud));
  meter.style.setProperty("--noise", share(room ?? -90));
  meter.setAttribute("aria-valuenow", loud);
  meter.setAttribute("aria-valuetext", words);
  write(by("hear-figure"), words);
  by("hear").classList.toggle("hearing", hearing);
}

function taken({ number, seconds, envelope: levels }) {
  const loudest = Math.max(...levels);
  return el("li", { class: "taken" }, el("b", { text: number, "aria-hidden": "true" }), envelope(levels, W.take(number, seconds, loudest)),
    el("span", { text: W.takeFacts(seconds, loudest), "aria-hidden": "true" }));
}

// A place for each recording that is wanted; those that were taken are in theirs.
function takes() {
  const count = newest("listening")?.count || 0, made = job.lines.filter(({ kind }) => kind === "recording"), list = by("takes");
  const key = `${job.name} ${count} ${made.length}`;
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(...made.map(taken), ...Array.from({ length: Math.max(0, count - made.length) }, (_, at) => el("li", {},
      el("b", { text: made.length + at + 1, "aria-hidden": "true" }), el("span", { class: "unseen", text: W.waits(made.length + at + 1) }))));
  }
  const last = newest("recording", "again"), next = list.children[made.length];
  next?.classList.toggle("bad", last?.kind === "again");
  return { count, made: made.length, last };
}

function words(told) {
  const { count, made, last } = takes();
  if (told || newest("fitting")) return told ? "" : W.fitting;
  if (!count) return W.begins;
  if (last?.kind === "again") return W.notTaken(last);
  return (newest("level")?.room_dbfs ?? null) === null && !made ? W.settles : W.nowMake(made, count);
}

function draw(line, told) {
  const say = by("teach-say"), loud = newest("level");
  write(say, words(told));
  say.classList.toggle("bad", newest("recording", "again")?.kind === "again" && !newest("fitting"));
  by("hear").hidden = !loud || Boolean(newest("fitting", "outcome"));
  if (loud) level(loud);
  by("teach-outcome").hidden = !told;
  if (told) by("teach-outcome").replaceChildren(...W.teachOutcome(told).map((text, at) => el("li", { text, class: told.refused && !at && "bad" })));
}

async function list() {
  const told = await get("api/taught"), sounds = told.sounds || [];
  by("undo").hidden = !told.ok;
  by("taught").replaceChildren(...sounds.map((row) => el("li", {}, el("b", { text: W.name(row.name) }), el("span", { text: W.taughtRow(row) }),
    row.taught_at && el("time", { datetime: row.taught_at, text: clock(new Date(row.taught_at), { day: "numeric", month: "short", year: "numeric" }) }))));
  by("none-taught").hidden = sounds.length > 0;
  write(by("none-taught"), told.ok ? W.noneTaught : W.refused(told));
}

export const open = list;

export function begin() {
  view("teach", {
    fields: () => ({ name: by("teach-name").value.trim().replaceAll(/\s+/g, "_"), count: by("teach-count").valueAsNumber,
      sound: by("teach-sound").value || null }),
    title: (told) => (told ? W.outcomes[told.refused ? "badly" : "well"] : W.teaching(job.name)),
    refused: () => Boolean(newest("outcome")?.refused),
    draw,
    over: () => by("teach").hidden || list(),
  });
  by("undo").addEventListener("click", async () => {
    const told = await post("api/undo");
    notice(told.ok ? W.undone(told.undone) : W.refused(told), { bad: !told.ok, seconds: 8 });
    await list();
  });
}
