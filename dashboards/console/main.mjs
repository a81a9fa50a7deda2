// The page: what is known goes to the screen that the address names.

import { follow } from "./live/following.mjs";
import { NOTHING, openShortages } from "./model/fleet.mjs";
import { above, link, place, sameScreen } from "./model/routes.mjs";
import { announcer } from "./view/announcer.mjs";
import { element } from "./view/element.mjs";
import { fleetScreen } from "./view/fleet_screen.mjs";
import { header } from "./view/header.mjs";
import { nodeScreen } from "./view/node_screen.mjs";
import { siteScreen } from "./view/site_screen.mjs";
import { tokenForm } from "./view/token_form.mjs";

const SCREENS = { fleet: fleetScreen, site: siteScreen, node: nodeScreen };

const page = { known: NOTHING, phase: "connecting", at: null, screen: null };
const top = header();
const content = element("main", { id: "content", tabindex: "-1" });
const said = announcer();
const form = tokenForm();
document.body.append(top.element, content, said.element, form.element);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address keeps the place
  content.focus();
});

function show() {
  top.update(page.known, page.phase, Date.now());
  page.screen.update(page.known, Date.now());
  const short = page.known.open.size;
  document.title = [short ? `(${short})` : "", page.screen.title(), "fleettwin"].filter(Boolean).join(" ");
}

let asked = false;
function showSoon() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    show();
  });
}

function go() {
  const to = place(location.hash);
  const from = page.at;
  page.at = to;
  if (from && sameScreen(from, to)) {
    page.screen.go(to);
    return showSoon();
  }
  page.screen?.leave();
  page.screen = SCREENS[to.view](to);
  content.replaceChildren(page.screen.element);
  show();
  if (from) {
    scrollTo(0, 0);
    (page.screen.comeFrom?.(from) ?? content).focus();
  }
}

addEventListener("hashchange", go);
addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.("input, select, textarea");
  if (event.key === "Escape" && !form.element.open) {
    const up = above(page.at);
    if (typing) typing.blur();
    else if (up) location.hash = link(up);
  }
  if (event.key === "/" && !typing && page.screen.find) {
    event.preventDefault();
    page.screen.find();
  }
});
setInterval(showSoon, 1000); // ages grow even if nothing comes

go();
follow({
  changed(known) {
    said.compare(openShortages(page.known), openShortages(known), page.known.loaded);
    page.known = known;
    showSoon();
  },
  phase(name) {
    said.phase(name);
    page.phase = name;
    showSoon();
  },
  async newToken() {
    await form.ask();
    page.screen.again?.();
  },
});
