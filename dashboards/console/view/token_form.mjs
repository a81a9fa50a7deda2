// Asks for the token when the API wants one.

import { keepToken, token } from "../live/token.mjs";
import { element, say } from "./element.mjs";

const WRONG = "That token is not the one this twin wants.";
const WANTED =
  "This twin shows itself to those who bring its token, FLEETTWIN_CONSOLE__TOKEN. " +
  "It is kept until this tab is closed.";

export function tokenForm() {
  const field = element("input", {
    id: "token",
    name: "token",
    type: "password",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
    "aria-describedby": "token-why",
  });
  const why = element("p", { id: "token-why", class: "quiet-text" });
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", {}, "Token"),
    why,
    element("label", { for: "token" }, "Token"),
    field,
    element("button", { type: "submit" }, "Show the fleet"),
  );
  const dialog = element("dialog", { class: "token", "aria-label": "Token" }, form);
  dialog.addEventListener("cancel", (event) => event.preventDefault()); // without it there is nothing to see
  return {
    element: dialog,
    /** A promise of a token, which is then kept for this tab. */
    ask() {
      say(why, token() ? WRONG : WANTED);
      field.value = "";
      dialog.showModal();
      return new Promise((resolve) => {
        form.addEventListener(
          "submit",
          () => {
            keepToken(field.value.trim());
            resolve();
          },
          { once: true },
        );
      });
    },
  };
}
