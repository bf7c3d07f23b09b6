/** The engine for programs in JavaScript: it runs in a process of its own, and answers in JSON. */

import { NeuralTraderError } from "./errors.js";
import { flags } from "./flags.js";
import { version as packageVersion } from "./package.js";
import { createProgress } from "./progress.js";
import { resolvePython } from "./resolve.js";
import { capture } from "./run.js";

export { NeuralTraderError };

/** The version of this package, which is that of the engine too: no other one is ever started. */
export function version() {
  return packageVersion;
}

/** Runs one command of the engine; a code other than 0 is a NeuralTraderError. */
export async function run(args, { cwd, env, signal, onProgress } = {}) {
  signal?.throwIfAborted();
  const merged = { ...process.env, ...env };
  const progress = onProgress && createProgress(onProgress);
  const python = await resolvePython({ env: merged, cwd, progress, signal });
  const { exitCode, stdout, stderr, signal: endedBy } = await capture(python, args, { cwd, env: merged, signal });
  if (exitCode === 0) return { exitCode, stdout, stderr };
  throw new NeuralTraderError(errorLine(stderr, exitCode), { exitCode, signal: endedBy, stdout, stderr });
}

/** Runs a backtest and answers with its result document. */
export function backtest(options = {}, runOptions) {
  return documentOf(["backtest", ...flags(options), "--json"], runOptions);
}

/** Replays recorded books and trades and answers with the result document. */
export function replay({ data, ...options } = {}, runOptions) {
  // Behind the two dashes, a file whose name begins with one cannot be taken for a flag.
  const files = [data ?? []].flat();
  return documentOf(["replay", ...flags(options), "--json", ...(files.length ? ["--", ...files] : [])], runOptions);
}

async function documentOf(args, runOptions) {
  const { stdout, stderr } = await run(args, runOptions);
  try {
    return JSON.parse(stdout);
  } catch (cause) {
    throw new NeuralTraderError("the engine's answer is not JSON", { stdout, stderr, cause });
  }
}

/** The engine's errors are one line each, the last of what it says, after a word that the class already says. */
function errorLine(stderr, exitCode) {
  const lines = stderr
    .replace(/\x1b\[[\d;]*m/g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  return lines.at(-1)?.replace(/^error: /, "") ?? `the engine ended with exit code ${exitCode}`;
}
