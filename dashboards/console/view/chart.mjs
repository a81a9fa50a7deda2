// A chart of the last quarter of an hour, drawn by uPlot; what is shown at the pointer stands in its legend.

import { clock } from "../model/format.mjs";
import { span } from "../model/history.mjs";
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { element, mark, say } from "./element.mjs";
import { onThemeChange } from "./theme.mjs";

const HEIGHT = 180;
const STRIP = 3;
const FONT = "11px system-ui, sans-serif";

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function key(colourName, dashed = false) {
  return element("span", { class: `key ${dashed ? "dashed" : ""} colour-${colourName}`, "aria-hidden": "true" });
}

/**
 * A chart: `title`, `unit`, `format(value)`, and `lines`, each with `label`, `column` (of the history), `colour` (a
 * name of the theme) and maybe `dashed`, `filled` or `stepped`. `scale(value)` turns what the history holds into what
 * is drawn; `most` is the greatest value there can be, where there is one. With `strip`, the upper edge marks when
 * something was short.
 */
export function chart({ title, unit, lines, format, scale = (value) => value, most = null, strip = false }) {
  const values = lines.map(() => element("span", { class: "value" }));
  const legend = lines.map((line, index) =>
    element("li", {}, key(line.colour, line.dashed), line.label, values[index]),
  );
  if (strip) legend.push(element("li", {}, key("short"), "something is short"));
  const when = element("span", { class: "when" });
  const plot = element("div", { class: "plot", role: "img" });
  const whole = element(
    "figure",
    { class: "chart" },
    element("figcaption", {}, element("h3", {}, title), element("span", { class: "unit" }, unit), when),
    plot,
    element("ul", { class: "legend" }, ...legend),
  );
  let history = null;
  let drawn = null;
  const leaving = new AbortController();

  function told(index) {
    const at = index ?? history.tick.length - 1;
    lines.forEach((line, number) => say(values[number], format(history[line.column][at] ?? null)));
    say(when, index === null ? "" : `${clock(history.tick[at])} UTC`);
  }

  function shortTimes({ ctx, bbox, valToPos }) {
    const at = (tick) => Math.min(Math.max(valToPos(tick / 1000, "x", true), bbox.left), bbox.left + bbox.width);
    const { tick, open_shortages: open } = history;
    ctx.fillStyle = colour("bad-solid");
    for (let from = 0; from < tick.length; from += 1) {
      if (!open[from]) continue;
      let until = from;
      while (until + 1 < tick.length && open[until]) until += 1;
      ctx.fillRect(at(tick[from]), bbox.top, at(tick[until]) - at(tick[from]), STRIP * devicePixelRatio);
      from = until;
    }
  }

  function options() {
    const axis = { stroke: () => colour("quiet"), font: FONT, ticks: { show: false } };
    const grid = { stroke: () => colour("line"), width: 1 };
    return {
      width: Math.max(plot.clientWidth, 120),
      height: HEIGHT,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { range: () => [span(history).from / 1000, span(history).until / 1000] },
        y: { range: (_, __, greatest) => [0, most ?? Math.max((greatest ?? 0) * 1.08, 1e-9)] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 24, gap: 4, values: (_, splits) => splits.map(axisTime), space: 48 },
        { ...axis, grid, size: 52, gap: 6, values: (_, splits) => splits.map(axisNumber), space: 32 },
      ],
      series: [
        {},
        ...lines.map((line) => ({
          stroke: () => colour(line.colour),
          fill: line.filled ? () => colour(`${line.colour}-ground`) : undefined,
          width: 1.5,
          dash: line.dashed ? [5, 4] : undefined,
          paths: line.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
          points: { show: false },
        })),
      ],
      hooks: { draw: strip ? [shortTimes] : [], setCursor: [(self) => told(self.cursor.idx ?? null)] },
    };
  }

  const columns = () => [
    history.tick.map((at) => at / 1000),
    ...lines.map((line) => history[line.column].map((value) => (value === null ? null : scale(value)))),
  ];
  const sized = new ResizeObserver(() => {
    if (drawn && plot.clientWidth) drawn.setSize({ width: plot.clientWidth, height: HEIGHT });
  });
  onThemeChange(() => drawn?.redraw(), leaving.signal);

  return {
    element: whole,
    update(next) {
      if (next === history || next.tick.length === 0) return;
      history = next;
      if (!drawn && plot.isConnected) {
        drawn = new uPlot(options(), columns(), plot);
        sized.observe(plot);
      } else if (drawn) {
        drawn.setData(columns());
      }
      told(drawn?.cursor.idx ?? null);
      const now = lines.map((line, number) => `${line.label} ${values[number].textContent}`).join(", ");
      mark(plot, "aria-label", `${title}, over time; now ${now}`);
    },
    leave() {
      leaving.abort();
      sized.disconnect();
      drawn?.destroy();
    },
  };
}

function axisTime(seconds) {
  const text = clock(seconds * 1000);
  return text.endsWith(":00") ? text.slice(0, -3) : text;
}

function axisNumber(value) {
  return value >= 10_000 ? `${Number((value / 1000).toFixed(1))}k` : String(Number(value.toFixed(6)));
}
