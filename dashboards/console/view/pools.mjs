// Accelerators by type, and tenants: who has what, and who waits.

import { count, percent } from "../model/format.mjs";
import { printable } from "../model/names.mjs";
import { element, named } from "./element.mjs";
import { table } from "./tables.mjs";

const number = (label, text, more = {}) => ({ label, text, kind: "number", ...more });

function name(text) {
  return () => {
    const place = named("");
    return { element: place, update: (item) => (place.textContent = printable(text(item))) };
  };
}

export function poolsPanel() {
  const rows = table(
    "Accelerators by type",
    [
      { label: "Type", make: name((one) => one.type) },
      number("Installed", (one) => count(one.installed)),
      number("In service", (one) => count(one.in_service)),
      number("Allocated", (one) => count(one.allocated)),
      number("Free", (one) => count(one.free), { mark: (one) => (one.free ? null : "none") }),
      number("Held idle", (one) => count(one.held_idle), { title: "Allocated, on nodes that have long done nothing" }),
      number("Unknown", (one) => count(one.unknown), {
        title: "On nodes that are lost, at sites away, or expected and never seen",
        mark: (one) => (one.unknown ? "warn" : null),
      }),
      number("H100e free", (one) => count(one.h100e_free)),
      number("Utilisation", (one) => percent(one.utilization)),
    ],
    (one) => one.type,
  );
  return {
    element: element("section", { class: "panel" }, element("h2", {}, "By type"), rows.element),
    update: rows.update,
  };
}

export function tenantsPanel() {
  const rows = table(
    "Tenants",
    [
      { label: "Tenant", make: name((one) => one.tenant) },
      number("Deserves", (one) => count(one.deserved)),
      number("Granted", (one) => count(one.granted)),
      number("Pending", (one) => count(one.pending), { mark: (one) => (one.pending ? "warn" : null) }),
      number("Starved", (one) => count(one.starved), {
        title: "Pending, and within what it deserves",
        mark: (one) => (one.starved ? "bad" : null),
      }),
      number("Borrows", (one) => count(one.borrowing), { title: "Granted beyond what it deserves" }),
      number("Servable", (one) => count(one.servable), { title: "Pending, and could be had now" }),
    ],
    (one) => one.tenant,
  );
  const whole = element("section", { class: "panel" }, element("h2", {}, "Tenants"), rows.element);
  return {
    element: whole,
    update(tenants) {
      whole.hidden = tenants.length === 0;
      rows.update(tenants);
    },
  };
}
