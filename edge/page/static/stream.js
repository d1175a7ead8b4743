// The live stream: open only while somebody looks, and found again by itself.
import { refresh, session } from "./server.js";

const ears = new Map();
let source = null, wanted = "", trying = 0;

// Kinds: those of deploy/docs/page.md, and `server` with `here`: whether the page's server answers.
export function on(kind, ear) {
  ears.set(kind, [...ears.get(kind) || [], ear]);
}

export function tell(kind, message) {
  for (const ear of ears.get(kind) || []) ear(message);
}

// mode: "bands", "quiet" (no bands) or "" (no stream at all).
export function want(mode) {
  if (mode === wanted) return;
  wanted = mode;
  close();
  if (mode) open();
}

function close() {
  clearTimeout(trying);
  source?.close();
  source = null;
}

function open() {
  close();
  source = new EventSource(wanted === "bands" ? "api/live?bands=1" : "api/live");
  source.onmessage = (message) => take(JSON.parse(message.data));
  source.onerror = () => {
    tell("server", { here: false });
    close();
    trying = setTimeout(again, 2000);
  };
}

// The answer of the session tells a server that is gone from a session that has ended.
async function again() {
  const answers = await refresh();
  if (!wanted || source || (answers && !session.logged_in)) return;
  if (answers) open();
  else trying = setTimeout(again, 2000);
}

function take(message) {
  if (message.kind === "hello") {
    tell("server", { here: true });
    tell("hello", message);
    tell(message.away ? "away" : "here", { reason: message.away });
    for (const kind of ["about", "pins", "health", "hearing"]) if (message[kind]) tell(kind, message[kind]);
    for (const event of message.events || []) tell("event", { ...event, past: true });
  } else {
    tell(message.kind, message);
  }
}
