#!/usr/bin/env node
// A stand-in for Python: it answers the launcher's questions, makes environments, and plays the engine.

const { readFileSync } = require("node:fs");
const { dirname } = require("node:path");
const { fill, makeEnvironment, note, slowly } = require("./environment.cjs");

const args = process.argv.slice(2);
note("python", args);

const [first, ...rest] = args.filter((arg) => arg !== "-I");
if (first === "-c") {
  const facts = process.env.FAKE_PYTHON_FACTS ?? "1 3.11 1 1 1";
  if (facts === "broken") process.exit(127);
  console.log(facts);
} else if (args[0] === "-P" && args[1] === "-c") {
  console.log(process.env.FAKE_ENGINE_FOUND ?? "");
} else if (first === "-m" && rest[0] === "venv") {
  makeEnvironment(rest.at(-1));
} else if (first === "-m" && rest[0] === "pip") {
  const other = rest.indexOf("--python");
  slowly(() => fill(dirname(dirname(other > 0 ? rest[other + 1] : process.argv[1]))));
} else if (args.slice(0, 5).join(" ") === "-P -X utf8 -m neural_trader") {
  playEngine(args.slice(5));
}

function playEngine([verb, ...operands]) {
  const verbs = {
    echo: () => console.log(JSON.stringify({ python: process.argv[1], args: operands })),
    exit: () => process.exit(Number(operands[0])),
    die: () => process.kill(process.pid, operands[0]),
    cat: () => process.stdout.write(readFileSync(0)),
    trap: trapSignals,
    backtest: playBacktest,
    replay: playBacktest,
  };
  verbs[verb]();
}

function trapSignals() {
  const seen = [];
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(name, () => {
      seen.push(name);
      // A second delivery of the same signal must have time to show up.
      setTimeout(() => {
        console.log(`got ${seen.join(" ")}`);
        process.exit(7);
      }, 300);
    });
  }
  setInterval(() => {}, 1000);
  console.log("ready");
}

function playBacktest() {
  if (args.includes("--strategy=missing")) {
    console.error("loading\n\x1b[31merror: there is no strategy called missing\x1b[0m");
    process.exit(2);
  }
  if (args.includes("--strategy=chatty")) console.log("not json");
  else if (args.includes("--strategy=endless")) setInterval(() => {}, 1000);
  else console.log(JSON.stringify({ schema: "neural-trader.result/1", args: args.slice(5) }));
}
