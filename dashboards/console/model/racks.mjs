// Which racks of a site are drawn.

const MOST = 800;

const names = new Intl.Collator("en", { numeric: true });

function byName(one, other) {
  if (one.rack === null || other.rack === null) return one.rack === null ? (other.rack === null ? 0 : 1) : -1;
  return names.compare(one.rack, other.rack);
}

/** All racks by name, or, where they are too many, those with most silent nodes. */
export function shownRacks(racks) {
  const some = racks.length <= MOST ? [...racks] : foremost(racks);
  return some.sort(byName);
}

function foremost(racks) {
  return [...racks].sort((one, other) => other.not_reporting - one.not_reporting || byName(one, other)).slice(0, MOST);
}
