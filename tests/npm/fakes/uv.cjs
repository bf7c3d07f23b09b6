#!/usr/bin/env node
// A stand-in for uv: it makes and fills environments as the real one would, without a network.

const { dirname } = require("node:path");
const { fill, makeEnvironment, note, slowly } = require("./environment.cjs");

const args = process.argv.slice(2);
note("uv", args);

if (args[0] === "--version") {
  if (process.env.FAKE_UV_BROKEN) process.exit(127);
  console.log("uv 9.9.9");
} else if (args[0] === "venv") {
  makeEnvironment(args.at(-1));
} else if (args[0] === "pip") {
  slowly(() => fill(dirname(dirname(args[args.indexOf("--python") + 1]))));
}
