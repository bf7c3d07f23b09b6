/** Checks that this machine can compile the engine, before minutes are spent on finding out that it cannot. */

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { NeuralTraderError } from "./errors.js";
import { findOnPath } from "./search.js";
import { ask } from "./tool.js";

const REMEDY = "install it from https://rustup.rs, or use the released package, which needs no compiler";

/** The environment in which cargo is found: rustup's folder is not on PATH until the next login. */
export async function compilerEnvironment(root, env) {
  const rustup = join(env.CARGO_HOME || join(homedir(), ".cargo"), "bin");
  const withRustup = { ...env, PATH: [env.PATH ?? env.Path, rustup].join(delimiter) };
  const cargo = findOnPath("cargo", withRustup);
  if (!cargo)
    throw new NeuralTraderError(`building the engine from ${root} needs cargo, the Rust compiler's tool: ${REMEDY}`);

  const needed = /^rust-version\s*=\s*"([\d.]+)"/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8"))?.[1];
  const present = /^cargo (\d+\.\d+)/.exec((await ask([cargo, "--version"], withRustup)) ?? "")?.[1];
  if (!present) throw new NeuralTraderError(`${cargo} does not run: ${REMEDY}`);
  if (needed && isOlder(present, needed)) {
    throw new NeuralTraderError(
      `building the engine needs Rust ${needed}, and ${dirname(cargo)} holds ${present}: run "rustup update"`,
    );
  }
  return withRustup;
}

function isOlder(present, needed) {
  const [a, b] = [present, needed].map((text) => text.split(".").map(Number));
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
