// One site: its figures and curves from the stream, its racks and nodes from the worker that owns it.

import { asked } from "../live/api.mjs";
import { asking } from "../live/asking.mjs";
import { shortagesAt } from "../model/fleet.mjs";
import { extended, fuller, historyOf } from "../model/history.mjs";
import { printable } from "../model/names.mjs";
import { fleet, link, NODES_ON_A_PAGE, site as siteAt } from "../model/routes.mjs";
import { charts } from "./charts.mjs";
import { crumbs } from "./crumbs.mjs";
import { element, named } from "./element.mjs";
import { figures } from "./figures.mjs";
import { nodesPanel } from "./nodes.mjs";
import { poolsPanel } from "./pools.mjs";
import { racksPanel } from "./racks.mjs";
import { shortagesPanel } from "./shortages.mjs";
import { badges, troubles } from "./tiles.mjs";
import { trouble } from "./trouble.mjs";

export function siteScreen(at) {
  const { site } = at;
  const name = printable(site);
  const marks = badges();
  const band = figures({ ofFleet: false });
  const short = shortagesPanel({ past: false });
  const curves = charts();
  const pools = poolsPanel();
  const racks = racksPanel();
  const nodes = nodesPanel(site, (change) => {
    location.hash = link(siteAt(site, { ...at, ...change }));
  });
  const failing = trouble();
  const parts = [band, short, curves, racks, pools, nodes];
  const whole = element(
    "div",
    { class: "screen site" },
    crumbs([{ href: link(fleet()), name: "Fleet" }], named(name)),
    element("div", { class: "title" }, element("h1", { tabindex: "-1" }, named(name)), marks.element),
    failing.element,
    ...parts.map((one) => one.element),
  );
  for (const part of parts) part.element.hidden = true;
  let answer = null;
  let past = null;

  const questions = asking(
    (signal) => {
      const wanted = new URLSearchParams({
        offset: String(at.offset),
        limit: String(NODES_ON_A_PAGE),
        order: at.order,
        only: at.only,
      });
      return asked(`api/sites/${encodeURIComponent(site)}?${wanted}`, { signal });
    },
    {
      shown(next) {
        answer = next;
        failing.passed();
        curves.element.hidden = racks.element.hidden = nodes.element.hidden = false;
        past = fuller(past, historyOf(answer.history));
        curves.update(past);
        racks.update(answer.racks);
        nodes.update(answer.nodes, Date.parse(answer.now));
      },
      failed: (error) => failing.failed(error, `There is no site ${name}.`),
    },
  );
  nodes.chosen(at);

  function showState(state, now, known) {
    band.element.hidden = pools.element.hidden = false;
    band.update(state);
    pools.update(state.pools);
    marks.update(troubles(state).filter((one) => one.name !== "shortages")); // they are told below
    short.element.hidden = !known.loaded;
    short.update(shortagesAt(known, site), [], now + known.ahead, known);
  }

  return {
    element: whole,
    title: () => name,
    again: () => questions.again(),
    go(to) {
      at = to;
      nodes.chosen(at);
      questions.again();
    },
    update(known, now) {
      const state = known.sites.get(site)?.state ?? answer?.state;
      if (!state) return;
      showState(state, now, known);
      if (!past) return;
      past = extended(past, state);
      curves.update(past);
    },
    leave() {
      questions.stop();
      curves.leave();
    },
    comeFrom: () => whole.querySelector("h1"),
  };
}
