// What was heard before: a day's events, by target, with their sound where kept.
import { by, clock, el, notice } from "./dom.js";
import { item, judgedAs } from "./events.js";
import * as heat from "./heat.js";
import { get } from "./server.js";
import { on } from "./stream.js";
import { W } from "./words.js";

const DAYS = 14, PAGE = 50, SETTLES = 1500;
let day = "", today = "", next = null, asked = 0, waiting = 0, playing = null;

const moved = (date, days) => new Date(Date.parse(`${date}T00:00:00Z`) + days * 864e5).toISOString().slice(0, 10);

function nameOf(date, length = "short") {
  if (date === today) return W.today;
  if (date === moved(today, -1)) return W.yesterday;
  return clock(new Date(`${date}T12:00:00Z`), { weekday: length, day: "numeric", month: length, timeZone: "UTC" });
}

function player({ id, target, started_at }) {
  const button = el("button", { class: "judge", text: W.play, "aria-label": W.sound(target, clock(new Date(started_at))), onclick: () => {
    const sound = new Audio(`api/sound/${id}`), own = playing?.button === button;
    playing?.stop();
    if (own) return;
    const stop = () => {
      sound.pause();
      button.textContent = W.play;
      playing = null;
    };
    playing = { button, stop };
    button.textContent = W.stop;
    sound.onended = stop;
    sound.onerror = () => notice(W.noSound, { bad: true });
    sound.play().catch(stop);
  } });
  return button;
}

function line(row) {
  judgedAs(row.id, row.judged);
  const seconds = (Date.parse(row.ended_at) - Date.parse(row.started_at)) / 1000;
  return item({ ...row, duration_seconds: seconds }, row.sound && player(row));
}

function query(fields) {
  const target = by("filter").value;
  return new URLSearchParams(Object.entries({ target, ...fields }).filter(([, value]) => value)).toString();
}

function options(names) {
  const filter = by("filter"), chosen = filter.value;
  if (filter.length === names.length + 1) return;
  filter.replaceChildren(new Option(W.all, ""), ...names.map((name) => new Option(W.name(name), name)));
  filter.value = names.includes(chosen) ? chosen : "";
}

// The day's newest events, or (more) the next older ones.
async function list(more = false) {
  const own = asked += 1;
  const told = await get(`api/events?${query({ since: `${day}T00:00:00`, until: `${moved(day, 1)}T00:00:00`, limit: PAGE,
    before: more ? next : "" })}`);
  if (own !== asked) return;
  const past = by("past"), lines = (told.events || []).map(line);
  if (more) past.append(...lines);
  else past.replaceChildren(...lines);
  next = told.next ?? null;
  by("more").hidden = next === null;
  by("no-past").hidden = past.children.length > 0;
  by("no-past").textContent = told.ok ? W.nothing : W.refused(told);
  if (told.ok) options(told.targets);
  if (more) lines[0]?.querySelector("button")?.focus();
}

async function map() {
  const told = await get(`api/heat?${query({ days: DAYS })}`);
  if (!told.ok) return;
  today = told.days.at(-1).date;
  day ||= today;
  heat.show(told, day, nameOf, choose);
}

function choose(date) {
  playing?.stop();
  day = date > today ? today : date;
  by("day-title").textContent = nameOf(day, "long");
  by("later").disabled = day === today;
  heat.choose(day);
  return list();
}

async function show() {
  by("csv").href = `api/events.csv?${query({})}`;
  await map();
  if (!day) day = today = new Date().toISOString().slice(0, 10);
  await choose(day);
}

export function open() {
  day = "";
  return show();
}

export function begin() {
  by("filter").addEventListener("change", show);
  by("earlier").addEventListener("click", () => choose(moved(day, -1)));
  by("later").addEventListener("click", () => choose(moved(day, 1)));
  by("more").addEventListener("click", () => list(true));
  on("event", (message) => {
    if (message.past || by("history").hidden || day !== today) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const busy = (id) => by(id).contains(document.activeElement);
      if (!busy("heat")) map();
      if (by("past").children.length <= PAGE && !playing && !busy("past")) list();
    }, SETTLES);
  });
}
