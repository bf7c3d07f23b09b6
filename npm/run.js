/** Starts the engine with a given Python, once, and reports how it ended. */

import { execa } from "execa";
import { NeuralTraderError } from "./errors.js";
import { exitCodeOfSignal, passSignalsTo } from "./signals.js";

/**
 * -P keeps a `numpy.py` beside the user's data from being imported in place of the real one; utf8 because that is what
 * Node speaks on every platform.
 */
const ENGINE = ["-P", "-X", "utf8", "-m", "neural_trader"];

const COMMON = {
  reject: false,
  // A forced kill after five seconds could cut a live shutdown between two orders.
  forceKillAfterDelay: false,
  // Windows delivers Ctrl-C only to a process that shares the console.
  windowsHide: false,
};

/** Hands the terminal over to the engine, and answers with its exit code. */
export async function launch(python, args) {
  const child = execa(python, [...ENGINE, ...args], { ...COMMON, stdio: "inherit" });
  const release = passSignalsTo(child);
  try {
    return exitCodeOf(await child, python);
  } finally {
    release();
  }
}

/** Collects what the engine writes; an abort sends SIGTERM and waits for the engine to end. */
export async function capture(python, args, { cwd, env, signal }) {
  const options = { ...COMMON, cwd, env, cancelSignal: signal, stdin: "ignore", stripFinalNewline: false };
  const result = await execa(python, [...ENGINE, ...args], options);
  signal?.throwIfAborted();
  return { ...result, exitCode: exitCodeOf(result, python) };
}

function exitCodeOf(result, python) {
  if (result.signal) return exitCodeOfSignal(result.signal);
  if (result.exitCode !== undefined) return result.exitCode;
  throw new NeuralTraderError(`${python} could not be started: ${result.originalMessage}`, { cause: result.cause });
}
