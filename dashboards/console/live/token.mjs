// The token that the API asks for, kept for as long as the tab is open.

const KEY = "fleettwin.token";
let held = "";

/** The token; empty where none has been given. */
export function token() {
  try {
    return sessionStorage.getItem(KEY) ?? held;
  } catch {
    return held; // the browser may keep storage from us
  }
}

export function keepToken(value) {
  held = value;
  try {
    sessionStorage.setItem(KEY, value);
  } catch {
    // held in memory until the page is left
  }
}
