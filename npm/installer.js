/** The steps that fill a private environment with the engine: by uv where it is found, else by venv and pip. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { NeuralTraderError } from "./errors.js";
import { isCheckout, pythonVersion, root, version } from "./package.js";
import { findPython } from "./python.js";
import { findOnPath } from "./search.js";
import { ask } from "./tool.js";

const CREATE = "creating a private Python environment";
const FILL = isCheckout
  ? "compiling the engine and installing its libraries"
  : "installing the engine and its libraries";
const REQUIREMENT = isCheckout ? root : `neural-trader==${pythonVersion(version)}`;

/** A list of steps, each with a title to show and a command to run. */
export async function planInstallation(prefix, env) {
  const interpreter = resolve(prefix, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const uv = findOnPath("uv", env);
  // A pyenv shim named uv exists as soon as any Python has uv, and fails in all others.
  const usable = uv && (await ask([uv, "--version"], env));
  return usable ? uvSteps(uv, prefix, interpreter, env) : pipSteps(await findPython(env), prefix, interpreter, env);
}

function uvSteps(uv, prefix, interpreter, env) {
  // uv takes an edited checkout for the one in its cache unless it is told to build it anew.
  const anew = isCheckout ? ["--reinstall-package", "neural-trader"] : [];
  const install = ["pip", "install", "--python", interpreter, "--compile-bytecode", ...anew, ...wheelhouse(env)];
  return [
    { title: CREATE, command: [uv, "venv", "--no-project", "--python", ">=3.11", prefix] },
    { title: FILL, command: [uv, ...install, REQUIREMENT] },
  ];
}

function pipSteps(python, prefix, interpreter, env) {
  const { command, venv, ensurepip, pip } = python;
  if (!venv || !(ensurepip || pip)) {
    const missing = venv ? "pip" : "the venv module";
    const remedy = `"apt install python${python.version}-venv" on Debian and Ubuntu`;
    throw new NeuralTraderError(
      `${command.join(" ")} lacks ${missing}: install it (${remedy}), or install uv (https://docs.astral.sh/uv)`,
    );
  }
  const install = ["install", "--disable-pip-version-check", "--no-input", ...wheelhouse(env), REQUIREMENT];
  return [
    // Debian's venv fails without ensurepip, so pip is left out here and added, or borrowed, afterwards.
    { title: CREATE, command: [...command, "-I", "-m", "venv", "--without-pip", prefix] },
    ...(ensurepip ? [{ title: "adding pip to it", command: [interpreter, "-I", "-m", "ensurepip"] }] : []),
    {
      title: FILL,
      command: ensurepip
        ? [interpreter, "-I", "-m", "pip", ...install]
        : [...command, "-I", "-m", "pip", "--python", interpreter, ...install],
    },
  ];
}

/** A folder of wheels in place of the index that the user's own settings name. */
function wheelhouse(env) {
  if (!env.NEURAL_TRADER_WHEELHOUSE) return [];
  const folder = resolve(env.NEURAL_TRADER_WHEELHOUSE);
  if (existsSync(folder)) return ["--no-index", "--find-links", folder];
  throw new NeuralTraderError(`NEURAL_TRADER_WHEELHOUSE names ${folder}, which does not exist`);
}
