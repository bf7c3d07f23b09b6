/** `npm test`: hands over to tests/run.py with the first Python that can run it. */

import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const script = join(dirname(fileURLToPath(import.meta.url)), "run.py");
const candidates = [
  ...(process.env.PYTHON ? [[process.env.PYTHON]] : []),
  ...["python3", "python", "python3.13", "python3.12", "python3.11"].map((name) => [name]),
  ...(process.platform === "win32" ? [["py", "-3"]] : []),
];

/** Names alone prove nothing: shims and store stubs answer to them as well, and an old Python may stand first on PATH. */
const suits = ([command, ...args]) =>
  spawnSync(command, [...args, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).status === 0;

const python = candidates.find(suits);
if (!python) {
  console.error("The tests need Python 3.11 or newer, and none was found: install it from https://www.python.org");
  process.exit(2);
}
const [command, ...args] = python;
const { status } = spawnSync(command, [...args, script, ...process.argv.slice(2)], { stdio: "inherit" });
process.exit(status ?? 1);
