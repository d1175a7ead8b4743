// Requests to the page's server: the session, and changes with its token.
import { W } from "./words.js";

export const session = { password: false, logged_in: false, csrf: null, version: "" };
const ears = [];
export const onLoggedOut = (ear) => ears.push(ear);

// Asks how the session stands; false where the server does not answer.
export async function refresh() {
  try {
    const answer = await fetch("api/session", { cache: "no-store" });
    if (!answer.ok) return false;
    Object.assign(session, await answer.json());
  } catch {
    return false;
  }
  if (!session.logged_in) loggedOut();
  return true;
}

export function loggedOut() {
  session.logged_in = false;
  session.csrf = null;
  for (const ear of ears) ear();
}

async function told(answer) {
  try {
    return { status: answer.status, ...await answer.json() };
  } catch {
    return { status: answer.status, ok: answer.ok, error: answer.ok ? null : W.noAnswer };
  }
}

// A change. Always gives an object with `ok`; where the token has changed, asks for it and tries once more.
export async function post(path, body = {}, again = true) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST", cache: "no-store", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf || "" },
    });
  } catch {
    return { ok: false, status: 0, error: W.noAnswer };
  }
  if (answer.status === 401 && path !== "api/login") loggedOut();
  if (answer.status === 403 && again && path !== "api/login" && await refresh() && session.logged_in) return post(path, body, false);
  return told(answer);
}

export const command = (verb, fields = {}) => post("api/command", { command: verb, ...fields });

// What an address gives; null where it gives nothing.
export async function get(path) {
  try {
    const answer = await fetch(path, { cache: "no-store" });
    if (answer.status === 401) loggedOut();
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
