#!/usr/bin/env node
/** Finds the engine of this very version, sets it up if this is the first start, and runs it exactly once. */

import { NeuralTraderError } from "../npm/errors.js";
import { root } from "../npm/package.js";
import { resolvePython } from "../npm/resolve.js";
import { interruptible } from "../npm/signals.js";

try {
  const python = await interruptible((signal) => resolvePython({ signal }));
  const { launch } = await import("../npm/run.js");
  process.exitCode = await launch(python, process.argv.slice(2));
} catch (error) {
  // Anything else that is thrown is a mistake of ours, and deserves its stack trace.
  if (!(error instanceof NeuralTraderError) && error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  const line = error.code ? `a library is missing: run "npm install" in ${root} first` : error.message;
  process.stderr.write(`neural-trader: ${line}\n`);
  process.exitCode = error.exitCode ?? 1;
}
