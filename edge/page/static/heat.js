// How many events began in each hour of each day.
import { by, el } from "./dom.js";
import { W } from "./words.js";

export function show(told, chosen, nameOf, pick) {
  const most = Math.max(1, ...told.days.flatMap((each) => each.hours));
  const all = told.days.reduce((sum, each) => sum + each.hours.reduce((one, other) => one + other, 0), 0);
  const head = el("tr", {}, el("td"), ...Array.from({ length: 24 }, (_, hour) =>
    el("th", { scope: "col", class: hour % 6 ? "minor" : "", "aria-label": W.hour(hour) }, el("span", { text: hour }))));
  const rows = told.days.toReversed().map(({ date, hours }) => {
    const name = nameOf(date), total = hours.reduce((one, other) => one + other, 0);
    const row = el("tr", { "data-day": date }, el("th", { scope: "row" },
      el("button", { type: "button", text: name, "aria-label": W.dayTotal(name, total), onclick: () => pick(date) })));
    hours.forEach((count, hour) => {
      const cell = el("td", count ? { title: W.cell(name, hour, count), onclick: () => pick(date) } : {},
        count ? el("span", { class: "unseen", text: count }) : null);
      if (count) cell.style.setProperty("--heat", (0.22 + 0.78 * Math.sqrt(count / most)).toFixed(2));
      row.append(cell);
    });
    return row;
  });
  by("heat").replaceChildren(el("table", {}, el("caption", { text: W.heatLabel(all, told.days.length, told.zone) }),
    el("thead", {}, head), el("tbody", {}, ...rows)));
  choose(chosen);
}

export function choose(day) {
  for (const row of by("heat").querySelectorAll("tr[data-day]")) {
    row.classList.toggle("chosen", row.dataset.day === day);
    row.querySelector("button").setAttribute("aria-pressed", String(row.dataset.day === day));
  }
}
