// Requests to the page's server: the session, and changes with its token.
import { W } from "./words.js";

export const session = { password: false, logged_in: false, csrf: "", ingress: false };
let ear = null;
export const onLoggedOut = (told) => { ear = told; };

// Asks how the session stands; false where the server does not answer.
export async function refresh() {
  const told = await ask("api/session");
  if (told.ok) Object.assign(session, told);
  if (told.ok && !session.logged_in) loggedOut();
  return told.ok;
}

function loggedOut() {
  session.logged_in = false;
  ear?.();
}

// What an answer says; always an object, with `ok` false where nothing came.
async function ask(path, options) {
  try {
    const answer = await fetch(path, { cache: "no-store", ...options });
    if (answer.status === 401) loggedOut();
    return { ok: answer.ok, ...await answer.json(), status: answer.status };
  } catch {
    return { ok: false, status: 0, error: W.noAnswer };
  }
}

export const get = (path) => ask(path);

// A change. Where the token has changed, asks for it and tries once more.
export async function post(path, body = {}, again = path !== "api/login") {
  const told = await ask(path, { method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf } });
  return told.status === 403 && again && await refresh() && session.logged_in ? post(path, body, false) : told;
}

export const command = (verb, fields = {}) => post("api/command", { command: verb, ...fields });
