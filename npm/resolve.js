/** Decides which Python runs the engine, in a fixed order and before anything runs. */

import { join, resolve } from "node:path";
import { engineVersionIn, interpreterOf } from "./environment.js";
import { NeuralTraderError } from "./errors.js";
import { pythonVersion } from "./package.js";
import { holdRuntime, managedRuntime, readyPython } from "./runtime.js";
import { findOnPath, isProgram } from "./search.js";

/** Sources on PYTHONPATH have no version of their own, and whoever puts them there knows which they are. */
const WHICH_ENGINE = `
from importlib import metadata, util
try:
    print(metadata.version("neural-trader"))
except metadata.PackageNotFoundError:
    print("sources" if util.find_spec("neural_trader") else "none")
`;

/** The path of the interpreter; only a first start, or an override without an environment, starts another program. */
export async function resolvePython({ env = process.env, cwd = process.cwd(), progress, signal } = {}) {
  if (env.NEURAL_TRADER_PYTHON) return overriding(env.NEURAL_TRADER_PYTHON, env, cwd);
  const prefixes = [env.VIRTUAL_ENV, env.CONDA_PREFIX, join(cwd, ".venv")];
  return fromEnvironments(prefixes) ?? managed({ env, progress, signal });
}

/** An environment of another version is passed over: a launcher must not run an engine that it was not tested with. */
function fromEnvironments(prefixes) {
  const fitting = prefixes.filter((prefix) => prefix && engineVersionIn(prefix) === pythonVersion());
  return fitting.map((prefix) => interpreterOf(prefix)).find(Boolean);
}

async function managed({ env, progress, signal }) {
  const runtime = managedRuntime(env);
  const python = readyPython(runtime) ?? (await setUp(runtime, { env, progress, signal }));
  holdRuntime(runtime);
  return python;
}

/** Loaded only here, because all but the first start do without it. */
async function setUp(runtime, { env, progress, signal }) {
  const [{ bootstrap }, { streamProgress }] = await Promise.all([import("./bootstrap.js"), import("./progress.js")]);
  return bootstrap(runtime, { env, signal, progress: progress ?? streamProgress() });
}

/** Whoever names a Python means that one: if it cannot be used, nothing else is tried in its place. */
async function overriding(name, env, cwd) {
  const path = /[\\/]/.test(name) ? resolve(cwd, name) : findOnPath(name, env);
  if (!path || !isProgram(path)) throw unusable(name, "is not a program that can be run");
  if (engineVersionIn(join(path, "..", "..")) === pythonVersion()) return path;

  const { ask } = await import("./tool.js");
  const found = (await ask([path, "-P", "-c", WHICH_ENGINE], env))?.trim();
  if (!found) throw unusable(name, "is not a working Python 3.11 or newer");
  if (found === "none") throw unusable(name, "has no neural_trader");
  if (found !== "sources" && found !== pythonVersion()) throw unusable(name, `holds neural_trader ${found}`);
  return path;
}

function unusable(name, reason) {
  const remedy = `install neural-trader ${pythonVersion()} there, or unset the variable`;
  return new NeuralTraderError(`NEURAL_TRADER_PYTHON names ${name}, which ${reason}: ${remedy}`);
}
