/** This npm package itself: where it stands, which version it is, and whether it is a checkout of the sources. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The published package carries neither file, so a folder that has both can build the engine itself. */
export const isCheckout = ["Cargo.toml", "pyproject.toml"].every((name) => existsSync(join(root, name)));

const PYTHON_PHASES = { alpha: "a", beta: "b", rc: "rc" };

/** Python spells a pre-release differently (PEP 440): npm's 1.2.0-beta.3 is Python's 1.2.0b3. */
export function pythonVersion(npmVersion = version) {
  return npmVersion.replace(/-(alpha|beta|rc)\.(\d+)$/, (_, phase, number) => PYTHON_PHASES[phase] + number);
}
