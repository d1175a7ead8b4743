// How many events began in each hour of each day.
import { by, el } from "./dom.js";
import { W } from "./words.js";

const sum = (counts) => counts.reduce((one, other) => one + other, 0);

export function show({ days, zone }, chosen, nameOf, pick) {
  const most = Math.max(...days.flatMap(({ hours }) => hours));
  const head = days[0].hours.map((_, hour) => el("th", { scope: "col" }, el("span", { class: hour % 6 && "unseen", text: hour })));
  const rows = days.toReversed().map(({ date, hours }) => {
    const name = nameOf(date), onclick = () => pick(date), cells = hours.map((count, hour) => {
      if (!count) return el("td");
      const cell = el("td", { title: W.cell(name, hour, count), onclick }, el("span", { class: "unseen", text: count }));
      cell.style.setProperty("--heat", 0.22 + 0.78 * Math.sqrt(count / most));
      return cell;
    });
    return el("tr", { "data-day": date }, el("th", { scope: "row" },
      el("button", { text: name, "aria-label": W.dayTotal(name, sum(hours)), onclick })), ...cells);
  });
  const words = W.heatLabel(sum(days.map(({ hours }) => sum(hours))), days.length, zone);
  by("heat").replaceChildren(el("table", {}, el("caption", { text: words }), el("thead", {}, el("tr", {}, el("td"), ...head)),
    el("tbody", {}, ...rows)));
  choose(chosen);
}

export function choose(day) {
  for (const row of by("heat").querySelectorAll("tr[data-day]")) {
    row.classList.toggle("chosen", row.dataset.day === day);
    row.querySelector("button").setAttribute("aria-pressed", row.dataset.day === day);
  }
}
