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
  process.stderr.write(`error: ${explain(error)}\n`);
  process.exitCode = error.exitCode ?? 1;
}

function explain(error) {
  if (error instanceof NeuralTraderError) return error.message;
  // A clone has no libraries until npm has fetched them.
  if (error.code === "ERR_MODULE_NOT_FOUND") return `a library is missing: run "npm install" in ${root}`;
  // Anything else is a mistake of ours, and deserves its stack trace.
  throw error;
}
