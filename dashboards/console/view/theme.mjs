// Light and dark: the button that turns one into the other, and remembers it. The beginning is made by `theme.js`.

import { element, mark, say } from "./element.mjs";

const KEY = "fleettwin.theme";
const bright = matchMedia("(prefers-color-scheme: light)");
const changes = new EventTarget();

function current() {
  return document.documentElement.dataset.theme;
}

function turn(theme) {
  document.documentElement.dataset.theme = theme;
  changes.dispatchEvent(new Event("change"));
}

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // the browser may keep storage from us
  }
}

function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // it holds until the page is left
  }
}

bright.addEventListener("change", () => remembered() ?? turn(bright.matches ? "light" : "dark"));

/** Be told whenever the colours change. */
export function onThemeChange(act, signal) {
  changes.addEventListener("change", act, { signal });
}

export function themeButton() {
  const button = element("button", { type: "button", class: "quiet theme" });
  const other = () => (current() === "dark" ? "light" : "dark");
  const show = () => {
    say(button, other() === "light" ? "Light" : "Dark");
    mark(button, "aria-label", `Show in ${other()} colours`);
  };
  button.addEventListener("click", () => {
    remember(other());
    turn(other());
  });
  onThemeChange(show);
  show();
  return button;
}
