// Open shortages, the worst first: who, how much, what binds and since when. Beneath them, what has passed.

import { clock, duration, instant } from "../model/format.mjs";
import { printable } from "../model/names.mjs";
import { missing, oneMore, resource, whatBinds, who } from "../model/wording.mjs";
import { element, listed, mark, named, say } from "./element.mjs";

function row() {
  const severity = element("span", { class: "severity" });
  const scope = named("", { class: "who" });
  const of = element("span", { class: "of" });
  const amount = element("span", { class: "amount" });
  const unit = element("span", { class: "unit" });
  const why = element("p", { class: "why" });
  const also = element("ul", { class: "also" });
  const serves = element("span", { class: "serves", title: "What one more unit of what binds would serve" });
  const since = element("span", { class: "since" });
  const whole = element(
    "li",
    { class: "shortage" },
    element("div", { class: "whose" }, severity, scope, of),
    element("div", { class: "missing" }, amount, unit),
    element("div", { class: "binds" }, why, also),
    serves,
    since,
  );
  return {
    element: whole,
    update({ shortage, now }) {
      mark(whole, "data-severity", shortage.severity);
      mark(whole, "data-id", shortage.id);
      say(severity, shortage.severity);
      say(scope, who(shortage.scope));
      say(of, resource(shortage));
      const [number, measure] = missing(shortage);
      say(amount, number);
      say(unit, measure);
      say(why, whatBinds(shortage.binding));
      const more = shortage.also.map((binding) => printable(binding.summary));
      if (also.childElementCount !== more.length || also.textContent !== more.join("")) {
        also.replaceChildren(...more.map((sentence) => element("li", {}, sentence)));
      }
      say(serves, oneMore(shortage.binding));
      say(since, duration((now - Date.parse(shortage.since)) / 1000));
      mark(since, "title", `since ${instant(Date.parse(shortage.since))}`);
    },
  };
}

function pastRow() {
  const when = element("span", { class: "when" });
  const scope = named("", { class: "who" });
  const told = element("span", { class: "told" });
  const lasted = element("span", { class: "since" });
  return {
    element: element("li", {}, when, scope, told, lasted),
    update(shortage) {
      const end = Date.parse(shortage.resolved_at ?? shortage.at);
      say(when, clock(end));
      say(scope, who(shortage.scope));
      say(told, resource(shortage));
      say(lasted, `lasted ${duration((end - Date.parse(shortage.since)) / 1000)}`);
    },
  };
}

const MOST_PAST = 100;

export function shortagesPanel({ past }) {
  const number = element("span", { class: "number" });
  const none = element("p", { class: "none" });
  const rows = element("ul", { class: "rows" });
  const show = listed(rows, { key: ({ shortage }) => shortage.id, make: row });
  const pastRows = element("ul", { class: "past" });
  const showPast = listed(pastRows, { key: (one) => one.id, make: pastRow });
  const summary = element("summary");
  let lately = [];
  const showLately = () => passed.open && showPast(lately.slice(0, MOST_PAST));
  const passed = element("details", { class: "passed", on: { toggle: () => showLately() } }, summary, pastRows);
  const whole = element(
    "section",
    { class: "panel shortages", id: "shortages", "aria-labelledby": "shortages-title" },
    element("h2", { id: "shortages-title" }, "Open shortages ", number),
    none,
    rows,
    past ? passed : null,
  );
  return {
    element: whole,
    update(open, resolved, now, { loaded }) {
      mark(whole, "data-worst", open[0]?.severity ?? null); // the worst stands first
      say(number, loaded ? String(open.length) : "");
      say(none, !loaded ? "Not read yet." : open.length ? "" : "Nothing is short.");
      none.hidden = open.length > 0;
      show(open.map((shortage) => ({ shortage, now })));
      passed.hidden = resolved.length === 0;
      say(summary, `${resolved.length} resolved within the last hour`);
      lately = resolved;
      showLately();
    },
  };
}
