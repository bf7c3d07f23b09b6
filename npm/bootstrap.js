/** Makes the managed runtime: once per version, by one process at a time, and completely or not at all. */

import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { diagnose } from "./diagnose.js";
import { engineVersionIn, interpreterOf } from "./environment.js";
import { NeuralTraderError, unwritable } from "./errors.js";
import { planInstallation } from "./installer.js";
import { takeLock } from "./lock.js";
import { isCheckout, pythonVersion, root, version } from "./package.js";
import { readyPython, removeOutdated, writeMarker } from "./runtime.js";
import { installerEnvironment, perform } from "./tool.js";
import { compilerEnvironment } from "./toolchain.js";

const DURATION = isCheckout ? "a minute or two, because the engine is compiled" : "about a minute";

/** The interpreter of the runtime, made by this process or by the one that was first. */
export async function bootstrap(runtime, { env, progress, signal }) {
  makeFolder(runtime.home);
  const onWait = (pid = "unknown") => progress.step(`waiting for process ${pid}, which sets the engine up`);
  const lock = await takeLock(runtime.lock, { onWait, signal });
  try {
    return readyPython(runtime) ?? (await install(runtime, { env, progress, signal }));
  } finally {
    progress.finish();
    lock.release();
  }
}

async function install(runtime, { env, progress, signal }) {
  const { folder, log } = runtime;
  // A fresh name keeps us clear of the tools of a killed start, in case they still run.
  const environment = `env-${randomBytes(3).toString("hex")}`;
  const prefix = join(folder, environment);
  try {
    remove(folder);
    makeFolder(folder);
    const clean = installerEnvironment(env);
    const buildEnv = isCheckout ? await compilerEnvironment(root, clean) : clean;
    const steps = await planInstallation(prefix, buildEnv);
    progress.announce(`neural-trader ${version} is being set up. This happens once and takes ${DURATION}.`);
    await performAll(steps, { cwd: folder, env: buildEnv, log, progress, signal });
    checkResult(prefix, log);
    writeMarker(runtime, environment);
  } catch (error) {
    remove(folder);
    throw error instanceof NeuralTraderError || !error.syscall ? error : unwritable(folder, error);
  }
  if (isCheckout) removeOutdated(runtime);
  return readyPython(runtime);
}

async function performAll(steps, { log: path, progress, ...context }) {
  const log = openSync(path, "w");
  try {
    for (const { title, command } of steps) {
      progress.step(title);
      writeSync(log, `$ ${command.join(" ")}\n`);
      if (await perform(command, { ...context, log })) continue;
      const { cause, remedy } = diagnose(readFileSync(path, "utf8"), context);
      throw new NeuralTraderError(`${title} failed: ${cause}. ${remedy}. The full log is ${path}`);
    }
  } finally {
    closeSync(log);
  }
}

/** An installer that reports success is believed only when the environment holds what was asked for. */
function checkResult(prefix, log) {
  const found = engineVersionIn(prefix);
  if (interpreterOf(prefix) && found === pythonVersion()) return;
  throw new NeuralTraderError(
    `the set-up ended with engine ${found ?? "(none)"} instead of ${version}. The full log is ${log}`,
  );
}

function makeFolder(path) {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw unwritable(path, error);
  }
}

function remove(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
