// The live stream: open only while somebody looks, and found again by itself.
import { Plain } from "./plain.js";
import { refresh, session } from "./server.js";

const ears = new Map();
let source = null, wanted = "", trying = 0;

// Kinds: those of deploy/docs/page.md; here: an appliance answers; noServer: the server does not.
export const on = (kind, ear) => ears.set(kind, [...ears.get(kind) || [], ear]);
export const tell = (kind, message) => ears.get(kind)?.forEach((ear) => ear(message));

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
  source = new (session.ingress ? Plain : EventSource)(`api/live?bands=${wanted === "bands" ? 1 : 0}`);
  source.onmessage = (message) => take(JSON.parse(message.data));
  source.onerror = () => {
    tell("noServer");
    close();
    trying = setTimeout(again, 2000);
  };
}

// A server that is gone, or a session that has ended?
async function again() {
  const answers = await refresh();
  if (!wanted || source || (answers && !session.logged_in)) return;
  if (answers) open();
  else trying = setTimeout(again, 2000);
}

function take(message) {
  tell(message.kind, message);
  if (message.kind !== "hello") return;
  tell(message.away ? "away" : "here", { reason: message.away });
  for (const kind of ["about", "pins", "health", "hearing"]) if (message[kind]) tell(kind, message[kind]);
  for (const event of message.events) tell("event", { ...event, past: true });
}
