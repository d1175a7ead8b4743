// The password, where one is set.
import { by } from "./dom.js";
import { post, refresh, session } from "./server.js";
import { W } from "./words.js";

export function begin(entered) {
  by("login").addEventListener("submit", async (press) => {
    press.preventDefault();
    const field = by("password"), error = by("login-error");
    error.textContent = "";
    const told = await post("api/login", { password: field.value });
    field.value = "";
    const answers = told.ok && await refresh();
    if (answers && session.logged_in) {
      entered();
      return;
    }
    error.textContent = answers ? W.noCookie : told.status === 403 ? W.wrongPassword
      : told.status === 429 ? W.tooMany(told.wanted) : W.refused(told);
    field.focus();
  });
  by("logout").addEventListener("click", async () => {
    await post("api/logout");
    await refresh();
  });
}
