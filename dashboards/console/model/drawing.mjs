// Where things stand in small drawings.

/** Parts of a power bar's width, 0 to 1: how far it is filled, and where the supply ends. */
export function powerBar(watts, supply) {
  if (watts === null || supply === null) return { filled: 0, supply: null, over: false };
  const room = Math.max(supply * 1.08, watts * 1.02, 1);
  return { filled: watts / room, supply: supply / room, over: watts > supply };
}

/** How urgent it is: `short` beyond the supply, `tight` with less than a twentieth left, else `fine`. */
export function tightness(power) {
  if (power.headroom === null || power.supply === null) return "unknown";
  if (power.headroom < 0) return "short";
  return power.headroom < power.supply * 0.05 ? "tight" : "fine";
}

/** An SVG path through the known values, from 0 at the bottom to `most` at the top; `stepped` where each holds on. */
export function path(ticks, values, { from, until, most, width, height, stepped = false }) {
  let drawing = "";
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) {
      pen = false;
      return;
    }
    const x = ((ticks[index] - from) / (until - from)) * width;
    const y = height - (value / most) * height;
    if (pen && stepped) drawing += `H${x.toFixed(1)}V${y.toFixed(1)}`;
    else drawing += `${pen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = true;
  });
  return drawing;
}
