// Numbers, amounts and times as people read them. Unknown is never a number.

export const UNKNOWN = "–";
const SPACE = "\u00a0"; // between a number and its unit, so that no line breaks there
const MINUS = "\u2212";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const decimals = [0, 1, 2, 3].map(
  (digits) => new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);

const known = (value) => value !== null && value !== undefined;
const withMinus = (text) => text.replace("-", MINUS);

/** A whole number with thousands separators. */
export function count(value) {
  return known(value) ? withMinus(whole.format(value)) : UNKNOWN;
}

/** Megawatts as a bare number: two decimals where they tell something. */
export function megawatts(watts) {
  if (!known(watts)) return UNKNOWN;
  const mega = watts / 1e6;
  return withMinus(decimals[Math.abs(mega) < 99.995 ? 2 : Math.abs(mega) < 999.95 ? 1 : 0].format(mega));
}

/** Megawatts with their sign, for what is left or missing. */
export function signedMegawatts(watts) {
  if (!known(watts)) return UNKNOWN;
  const text = megawatts(watts);
  return text.startsWith(MINUS) || Number(text.replaceAll(",", "")) === 0 ? text : `+${text}`;
}

/** Watts of a node or a rack, in the unit that suits them. */
export function power(watts) {
  if (!known(watts)) return UNKNOWN;
  if (Math.abs(watts) < 999.5) return `${count(watts)}${SPACE}W`;
  if (Math.abs(watts) < 99_995) return `${withMinus(decimals[2].format(watts / 1e3))}${SPACE}kW`;
  if (Math.abs(watts) < 999_950) return `${withMinus(decimals[1].format(watts / 1e3))}${SPACE}kW`;
  return `${megawatts(watts)}${SPACE}MW`;
}

/** A fraction as per cent. */
export function percent(fraction) {
  return known(fraction) ? `${withMinus(whole.format(fraction * 100))}%` : UNKNOWN;
}

export function celsius(degrees) {
  return known(degrees) ? `${withMinus(whole.format(degrees))}${SPACE}°C` : UNKNOWN;
}

/** Bytes of memory. */
export function gibibytes(bytes) {
  return known(bytes) ? `${decimals[1].format(bytes / 2 ** 30)}${SPACE}GiB` : UNKNOWN;
}

/** Joules as what is billed. */
export function energy(joules) {
  if (!known(joules)) return UNKNOWN;
  const hours = joules / 3600;
  if (hours < 999_950) return `${decimals[1].format(hours / 1e3)}${SPACE}kWh`;
  if (hours < 999_950_000) return `${decimals[1].format(hours / 1e6)}${SPACE}MWh`;
  return `${decimals[1].format(hours / 1e9)}${SPACE}GWh`;
}

/** How long something has lasted, in its two greatest units. */
export function duration(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const all = Math.max(0, Math.floor(seconds));
  if (all < 60) return `${all}${SPACE}s`;
  const of = (unit, part, next, name, partName) =>
    `${Math.floor(all / unit)}${SPACE}${name}${SPACE}${Math.floor((all % unit) / part)}${SPACE}${partName}`;
  if (all < 3600) return of(60, 1, 0, "min", "s");
  if (all < 86_400) return of(3600, 60, 0, "h", "min");
  return of(86_400, 3600, 0, "d", "h");
}

/** How old data is: tenths of a second where they count. */
export function age(seconds) {
  if (!known(seconds)) return UNKNOWN;
  return seconds < 9.95 ? `${decimals[1].format(Math.max(0, seconds))}${SPACE}s` : duration(seconds);
}

const two = (number) => String(number).padStart(2, "0");

/** The time of day in UTC. */
export function clock(milliseconds) {
  if (!known(milliseconds)) return UNKNOWN;
  const at = new Date(milliseconds);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

/** Date and time in UTC. */
export function instant(milliseconds) {
  if (!known(milliseconds)) return UNKNOWN;
  const at = new Date(milliseconds);
  const day = `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  return `${day} ${clock(milliseconds)}${SPACE}UTC`;
}

/** One thing, or so many: `1 node`, `3 nodes`. */
export function counted(number, one, many = `${one}s`) {
  return `${count(number)}${SPACE}${number === 1 ? one : many}`;
}
