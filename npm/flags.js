/** Turns options into flags by their names, so that the engine, which knows them, judges them. */

/** `fooBar: 1` is `--foo-bar=1`; what is undefined, null or false is left out. */
export function flags(options) {
  return Object.entries(options).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === null || value === false) return [];
    if (value === true) return [flag];
    if (name === "set") return Object.entries(value).map(([key, setting]) => `${flag}=${key}=${setting}`);
    // Joined to its flag, a value that begins with a dash cannot be taken for another flag.
    return [`${flag}=${textOf(value)}`];
  });
}

function textOf(value) {
  if (value instanceof Date) return value.toISOString();
  return Array.isArray(value) ? value.join(",") : String(value);
}
