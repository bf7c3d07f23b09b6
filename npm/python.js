/** Finds a Python that can carry the engine, and what it has on board to install packages with. */

import { NeuralTraderError } from "./errors.js";
import { findOnPath } from "./search.js";
import { ask } from "./tool.js";

const NAMES = ["python3.13", "python3.12", "python3.11", "python3", "python"];

/** Free-threaded builds are left out: they cannot load an extension of the stable ABI. */
const QUESTIONS = `
import sys, sysconfig
from importlib.util import find_spec
suitable = sys.version_info >= (3, 11) and not sysconfig.get_config_var("Py_GIL_DISABLED")
tools = [int(find_spec(name) is not None) for name in ("venv", "ensurepip", "pip")]
print(int(suitable), "%d.%d" % sys.version_info[:2], *tools)
`;

/** The first suitable Python; names alone prove nothing, because shims and store stubs answer to them as well. */
export async function findPython(env) {
  const seen = [];
  for (const candidate of candidates(env)) {
    const answer = await ask([...candidate, "-I", "-c", QUESTIONS], env);
    if (!answer) continue;
    const [suitable, version, ...modules] = answer.trim().split(" ");
    const [venv, ensurepip, pip] = modules.map((flag) => flag === "1");
    if (suitable === "1") return { command: candidate, version, venv, ensurepip, pip };
    seen.push(version);
  }
  const found = seen.length ? `only Python ${seen.join(", ")} was found` : "no Python was found";
  throw new NeuralTraderError(
    `Python 3.11 or newer is needed, and ${found}: install it from https://www.python.org, or install uv, ` +
      "which brings its own (https://docs.astral.sh/uv)",
  );
}

function candidates(env) {
  const found = NAMES.map((name) => findOnPath(name, env))
    .filter(Boolean)
    .map((path) => [path]);
  const launcher = process.platform === "win32" && findOnPath("py", env);
  return launcher ? [...found, [launcher, "-3"]] : found;
}
