/** A fingerprint of the engine's sources, by which an edited checkout is told from the one that was built. */

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const FILES = ["Cargo.toml", "Cargo.lock", "pyproject.toml", "rust-toolchain.toml", ".cargo/config.toml"];
const FOLDERS = ["python", "rust"];

/** What building and running leave behind would otherwise make every second start look like an edit. */
const LEFTOVER = /^(\.|__pycache__$|target$)|\.(pyc|pyd|so|dylib)$/;

/** Hashes contents rather than times: a `git switch` there and back costs no second build. */
export function fingerprint(root) {
  const hash = createHash("sha256");
  for (const path of [...FILES, ...FOLDERS.flatMap((folder) => [...filesBelow(root, folder)])]) {
    const content = read(join(root, path));
    if (content) hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 12);
}

function* filesBelow(root, folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  // The order of a listing is the file system's affair; a fingerprint must not depend on it.
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${folder}/${entry.name}`;
    if (LEFTOVER.test(entry.name)) continue;
    if (entry.isDirectory()) yield* filesBelow(root, path);
    else yield path;
  }
}

/** A file that is absent, or is being replaced by an editor at this instant, simply does not count. */
function read(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
