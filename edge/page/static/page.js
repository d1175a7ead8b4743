// Begins here: who may look, and at what.
import { by, fillWords } from "./dom.js";
import * as calibrate from "./calibrate.js";
import * as health from "./health.js";
import * as history from "./history.js";
import * as lesson from "./lesson.js";
import * as live from "./live.js";
import * as login from "./login.js";
import { onLoggedOut, refresh, session } from "./server.js";
import * as settings from "./settings.js";
import { tell, want } from "./stream.js";
import * as teach from "./teach.js";

const OPEN = { live: null, history: history.open, teach: teach.open, calibrate: null, settings: settings.open };
const VIEWS = Object.keys(OPEN);
let view = "none";

// Shows what the address asks for, or the login; a hidden page asks for nothing, unless it waits for a lesson.
function turn() {
  const asked = location.hash.slice(1);
  const next = !session.logged_in ? "login" : VIEWS.includes(asked) ? asked : "live";
  const seen = document.visibilityState === "visible";
  if (next !== view) {
    for (const name of ["login", ...VIEWS]) by(name).hidden = name !== next;
    for (const link of by("nav").children) {
      if (link.hash === `#${next}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.body.dataset.view = view = next;
    OPEN[next]?.();
    if (next === "login") by("password").focus();
  }
  by("logout").hidden = !(session.password && session.logged_in);
  live.look(seen && next === "live");
  want(next === "login" || (!seen && !lesson.job.running) ? "" : seen && next === "live" ? "bands" : "quiet");
}

async function enter() {
  if (await refresh()) turn();
  else {
    tell("noServer");
    setTimeout(enter, 2000);
  }
}

fillWords();
health.state("seeking");
live.begin();
history.begin();
teach.begin();
calibrate.begin();
settings.begin();
lesson.begin(() => { if (view !== "none") turn(); });
login.begin(turn);
onLoggedOut(() => { if (view !== "none") turn(); });
addEventListener("hashchange", turn);
document.addEventListener("visibilitychange", turn);
await enter();
