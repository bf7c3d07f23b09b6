/** The engine as a function: options in, parsed results or typed errors out. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { test } from "node:test";
import { flags } from "../../npm/flags.js";
import { backtest, NeuralTraderError, replay, run, version } from "../../npm/index.js";
import { isAlive, makeReadyStage, makeStage, until } from "./stage.js";

/** Options under which the package of this repository runs the stand-in for the engine. */
function makeEngine(t) {
  const stage = makeReadyStage(t);
  return { stage, options: { cwd: stage.at("work"), env: stage.env } };
}

test("options_become_flags_by_their_names", () => {
  const options = {
    strategy: "rsi.py:Rsi",
    data: "two words.csv",
    symbols: ["A", "B"],
    start: new Date(0),
    end: "2024-01-01",
    cash: 1e5,
    fee: 0.001,
    set: { fast: 10, note: "a=b", short: -5 },
    seed: 0,
    like: undefined,
    html: null,
    overlay: { volatility_target: { annual: 0.2, days: 20 }, kill_switch: {} },
    config: false,
    debug: true,
    someNewFlag: 1,
  };
  assert.deepEqual(flags(options), [
    "--strategy=rsi.py:Rsi",
    "--data=two words.csv",
    "--symbols=A,B",
    "--start=1970-01-01T00:00:00.000Z",
    "--end=2024-01-01",
    "--cash=100000",
    "--fee=0.001",
    "--set=fast=10",
    "--set=note=a=b",
    "--set=short=-5",
    "--seed=0",
    "--overlay=volatility_target:annual=0.2,days=20",
    "--overlay=kill_switch",
    "--debug",
    "--some-new-flag=1",
  ]);
});

test("a_backtest_answers_with_its_parsed_document", async (t) => {
  const { options } = makeEngine(t);
  const result = await backtest({ strategy: "sma_cross", set: { fast: 10 } }, options);
  assert.deepEqual(result, {
    schema: "neural-trader.result/1",
    args: ["backtest", "--strategy=sma_cross", "--set=fast=10", "--json"],
  });
});

test("a_replay_answers_with_its_parsed_document_and_names_its_files_last", async (t) => {
  const { options } = makeEngine(t);
  const argsOf = async (replayOptions) => (await replay(replayOptions, options)).args;
  assert.deepEqual(await argsOf({ data: ["-a.gz", "b.gz"], venue: "binance", selfTrade: "off", whole: true }), [
    ...["replay", "--venue=binance", "--self-trade=off", "--whole", "--json", "--", "-a.gz", "b.gz"],
  ]);
  assert.deepEqual(await argsOf({ data: "catalog:a/b" }), ["replay", "--json", "--", "catalog:a/b"]);
  assert.deepEqual(await argsOf(), ["replay", "--json"]);
});

test("a_failure_is_an_error_with_the_code_and_the_one_line_that_explains_it", async (t) => {
  const { options } = makeEngine(t);
  await assert.rejects(backtest({ strategy: "missing" }, options), (error) => {
    assert.ok(error instanceof NeuralTraderError);
    assert.equal(error.name, "NeuralTraderError");
    assert.equal(error.message, "there is no strategy called missing");
    assert.equal(error.exitCode, 2);
    assert.match(error.stderr, /^loading\n/);
    return true;
  });
});

test("an_answer_that_is_not_json_is_an_error_that_keeps_it", async (t) => {
  const { options } = makeEngine(t);
  await assert.rejects(backtest({ strategy: "chatty" }, options), {
    name: "NeuralTraderError",
    exitCode: 1,
    stdout: "not json\n",
  });
});

test("an_engine_that_a_signal_killed_is_an_error_that_names_the_signal", async (t) => {
  const { options } = makeEngine(t);
  await assert.rejects(run(["die", "SIGKILL"], options), {
    exitCode: 137,
    signal: "SIGKILL",
    message: /exit code 137/,
  });
});

test("run_answers_with_what_was_written", async (t) => {
  const { options } = makeEngine(t);
  const { stdout, stderr, exitCode } = await run(["echo", "größe ✓", ""], options);
  assert.deepEqual(JSON.parse(stdout).args, ["größe ✓", ""]);
  assert.deepEqual([stderr, exitCode], ["", 0]);
});

test("an_abort_ends_the_engine_before_the_promise_settles", async (t) => {
  const { stage, options } = makeEngine(t);
  const controller = new AbortController();
  const running = backtest({ strategy: "endless" }, { ...options, signal: controller.signal });
  await until(() => stage.calls().length === 1, "the engine runs");
  controller.abort();
  await assert.rejects(running, { name: "AbortError" });
  assert.ok(!isAlive(stage.calls()[0].pid));
});

test("a_call_that_is_already_aborted_starts_nothing", async (t) => {
  const { stage, options } = makeEngine(t);
  await assert.rejects(run(["echo"], { ...options, signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.deepEqual(stage.calls(), []);
});

test("the_progress_of_a_first_start_goes_to_whoever_asks_for_it", async (t) => {
  const stage = makeStage(t, { tools: ["uv", "cargo"] });
  const home = stage.at("elsewhere");
  mkdirSync(home);
  const lines = [];
  const env = { ...stage.env, NEURAL_TRADER_HOME: home, VIRTUAL_ENV: "", CONDA_PREFIX: "" };
  await run(["echo"], { cwd: stage.at("work"), env, onProgress: (line) => lines.push(line) });
  assert.match(lines[0], /^neural-trader 0\.1\.0 is being set up/);
  assert.ok(lines.length > 1 && lines.every((line) => !line.includes("\n")));
});

test("the_version_is_that_of_the_package", () => {
  assert.match(version(), /^\d+\.\d+\.\d+/);
});
