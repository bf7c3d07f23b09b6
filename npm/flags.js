/** Turns options into flags by their names, so that the engine, which knows them, judges them. */

/** `fooBar: 1` is `--foo-bar=1`; what is undefined, null or false is left out; an object is one flag per entry. */
export function flags(options) {
  return Object.entries(options).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === null || value === false) return [];
    if (value === true) return [flag];
    // Joined to its flag, a value that begins with a dash cannot be taken for another flag.
    return isTable(value)
      ? Object.entries(value).map((entry) => `${flag}=${pair(entry)}`)
      : [`${flag}=${textOf(value)}`];
  });
}

/** `fast=10`, or for an entry that is a table itself, `volatility_target:annual=0.2`. */
function pair([name, value]) {
  if (!isTable(value)) return `${name}=${value}`;
  return [name, Object.entries(value).map(pair).join(",")].filter(Boolean).join(":");
}

function isTable(value) {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof Date);
}

function textOf(value) {
  if (value instanceof Date) return value.toISOString();
  return Array.isArray(value) ? value.join(",") : String(value);
}
