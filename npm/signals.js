/** What the launcher does with the signals that it receives. */

import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import { NeuralTraderError } from "./errors.js";

const ENDINGS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** The exit code by which shells report a process that a signal ended. */
export function exitCodeOfSignal(signal) {
  return 128 + constants.signals[signal];
}

/** Runs `work` with an AbortSignal that fires on Ctrl-C and its like, so that a half-made environment is removed. */
export async function interruptible(work) {
  const controller = new AbortController();
  const abort = (signal) => {
    const message = `interrupted by ${signal} before the engine was started`;
    controller.abort(new NeuralTraderError(message, { exitCode: exitCodeOfSignal(signal), signal }));
  };
  for (const name of ENDINGS) process.on(name, abort);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of ENDINGS) process.off(name, abort);
  }
}

/** Lets the engine, not the launcher, decide what a signal means; returns the function that ends this. */
export function passSignalsTo(child) {
  const pass = (signal) => {
    // The terminal sends Ctrl-C to both of us, and a second one would cut the engine's orderly shutdown short.
    if (signal !== "SIGINT" || !hasTerminal()) child.kill(signal);
  };
  for (const name of ENDINGS) process.on(name, pass);
  return () => ENDINGS.forEach((name) => process.off(name, pass));
}

function hasTerminal() {
  // Windows consoles always deliver Ctrl-C themselves, and a kill there would be immediate.
  if (process.platform === "win32") return true;
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
