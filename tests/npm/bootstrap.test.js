/** The first start: what it installs with, what it says, and that it ends complete or without a trace. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { diagnose } from "../../npm/diagnose.js";
import { isAlive, makeStage, until } from "./stage.js";

/** A failed set-up is exactly one line after whatever progress there was, and the exit code 1. */
function assertFails({ code, stdout, stderr }, pattern) {
  assert.equal(code, 1, stderr);
  assert.equal(stdout, "");
  const lines = stderr.trimEnd().split("\n");
  assert.match(lines.at(-1), /^error: /);
  assert.match(lines.at(-1), pattern);
  assert.equal(lines.filter((line) => line.startsWith("error: ")).length, 1);
}

test("a_first_start_installs_and_a_second_one_starts_one_program", async (t) => {
  const stage = makeStage(t);
  const first = await stage.run(["echo", "1"]);
  assert.equal(first.code, 0);
  assert.match(first.stderr, /^neural-trader 0\.1\.0 is being set up\. This happens once and takes about a minute\.\n/);
  assert.deepEqual(JSON.parse(first.stdout).args, ["1"]);

  stage.forgetCalls();
  const second = await stage.run(["echo", "2"]);
  assert.equal(second.stderr, "");
  assert.equal(stage.calls().length, 1);
});

test("the_published_package_asks_for_exactly_its_own_version", async (t) => {
  const stage = makeStage(t);
  await stage.run(["echo"]);
  const [{ args }] = stage.installs();
  assert.equal(args.at(-1), "neural-trader==0.1.0");
  assert.ok(!args.includes("--no-index"));
});

test("a_complete_runtime_needs_neither_network_nor_tools", async (t) => {
  const stage = makeStage(t);
  await stage.run(["echo"]);
  rmSync(stage.at("path", "uv"));
  assert.equal((await stage.run(["echo"], { env: { NEURAL_TRADER_OFFLINE: "1" } })).code, 0);
});

test("a_wheelhouse_takes_the_place_of_the_index", async (t) => {
  const stage = makeStage(t);
  mkdirSync(stage.at("work", "my wheels"));
  await stage.run(["echo"], { env: { NEURAL_TRADER_WHEELHOUSE: "my wheels", NEURAL_TRADER_OFFLINE: "1" } });
  const { args } = stage.installs()[0];
  assert.equal(args[args.indexOf("--find-links") + 1], stage.at("work", "my wheels"));
  assert.ok(args.includes("--no-index"));
});

test("a_wheelhouse_that_does_not_exist_is_one_line", async (t) => {
  const stage = makeStage(t);
  assertFails(
    await stage.run(["echo"], { env: { NEURAL_TRADER_WHEELHOUSE: "nowhere" } }),
    /NEURAL_TRADER_WHEELHOUSE names .*nowhere/,
  );
  assert.deepEqual(stage.runtimeNames(), []);
});

test("variables_that_would_lead_an_installer_astray_are_kept_from_it_but_not_from_the_engine", async (t) => {
  const stage = makeStage(t);
  await stage.run(["echo"], { env: { PYTHONPATH: "/elsewhere", PIP_TARGET: "/elsewhere", KEPT: "yes" } });
  const [installed, ran] = stage
    .calls()
    .slice(-2)
    .map(({ env }) => env);
  assert.deepEqual([installed.PYTHONPATH, installed.PIP_TARGET, installed.KEPT], [undefined, undefined, "yes"]);
  assert.deepEqual([ran.PYTHONPATH, ran.KEPT], ["/elsewhere", "yes"]);
});

test("offline_is_said_to_every_tool_of_the_set_up", async (t) => {
  const stage = makeStage(t);
  await stage.run(["echo"], { env: { NEURAL_TRADER_OFFLINE: "1" } });
  const { env } = stage.installs()[0];
  assert.deepEqual([env.UV_OFFLINE, env.PIP_NO_INDEX, env.CARGO_NET_OFFLINE], ["1", "1", "true"]);
});

test("without_uv_pip_is_added_to_a_venv_that_was_made_without_it", async (t) => {
  const stage = makeStage(t, { tools: ["python3.12"] });
  assert.equal((await stage.run(["echo"])).code, 0);
  const commands = stage
    .calls()
    .map(({ args }) => args.filter((arg) => /^(venv|ensurepip|pip|neural_trader)$/.test(arg)).join());
  assert.deepEqual(commands, ["", "venv", "ensurepip", "pip", "neural_trader"]);
});

test("a_uv_shim_that_does_not_run_is_passed_over", async (t) => {
  const stage = makeStage(t, { tools: ["uv", "python3"] });
  assert.equal((await stage.run(["echo"], { env: { FAKE_UV_BROKEN: "1" } })).code, 0);
  assert.equal(stage.installs()[0].tool, "python");
});

test("a_python_without_ensurepip_lends_its_own_pip", async (t) => {
  const stage = makeStage(t, { tools: ["python3"] });
  assert.equal((await stage.run(["echo"], { env: { FAKE_PYTHON_FACTS: "1 3.11 1 0 1" } })).code, 0);
  const [{ args }] = stage.installs();
  assert.deepEqual(args.slice(0, 4), ["-I", "-m", "pip", "--python"]);
  assert.ok(args[4].startsWith(stage.runtimes));
});

test("a_python_without_any_pip_is_one_line_that_names_the_package_to_install", async (t) => {
  const stage = makeStage(t, { tools: ["python3"] });
  assertFails(
    await stage.run(["echo"], { env: { FAKE_PYTHON_FACTS: "1 3.11 1 0 0" } }),
    /lacks pip.*apt install python3\.11-venv.*uv/,
  );
});

test("a_python_that_is_too_old_is_one_line", async (t) => {
  const stage = makeStage(t, { tools: ["python3"] });
  assertFails(
    await stage.run(["echo"], { env: { FAKE_PYTHON_FACTS: "0 3.9 1 1 1" } }),
    /3\.11 or newer is needed, and only Python 3\.9 was found/,
  );
});

test("a_machine_without_python_is_one_line", async (t) => {
  assertFails(await makeStage(t, { tools: [] }).run(["echo"]), /no Python was found: install it/);
});

test("a_python_shim_that_does_not_run_counts_as_none", async (t) => {
  const stage = makeStage(t, { tools: ["python3"] });
  assertFails(await stage.run(["echo"], { env: { FAKE_PYTHON_FACTS: "broken" } }), /no Python was found/);
});

const CAUSES = [
  ["error: dns error: failed to lookup address", /the network did not answer/],
  ["OSError: [Errno 28] No space left on device", /the disk is full/],
  ["error[E0277]: the trait bound is not satisfied\nerror: could not compile `nt-core`", /the engine did not compile/],
  ["warning: spurious network error: timed out\nerror: could not compile `nt-core`", /the engine did not compile/],
  ["error: linker `cc` not found", /there is no C linker/],
  ["ERROR: No matching distribution found for neural-trader==0.1.0", /no such version for this machine/],
  ["error: No interpreter found for Python >=3.11", /no Python 3\.11 or newer/],
  ["ERROR: No matching distribution found for polars", /NEURAL_TRADER_OFFLINE is set/, { NEURAL_TRADER_OFFLINE: "1" }],
  ["something\nerror: the moon is in the wrong place\nhint: wait", /^error: the moon is in the wrong place$/],
  ["$ uv pip install tunnel\nit went wrong\n", /^it went wrong$/],
  ["", /^it gave no reason$/],
];

test("the_usual_causes_of_a_failure_are_found_in_the_log", () => {
  for (const [log, pattern, env = {}] of CAUSES) {
    const { cause, remedy } = diagnose(log, { env });
    assert.match(cause, pattern);
    assert.doesNotMatch(`${cause}${remedy}`, /\n|\.$/);
  }
});

test("a_failed_step_is_one_line_that_names_the_log", async (t) => {
  const stage = makeStage(t);
  const words = "error: could not compile";
  const ended = await stage.run(["echo"], { env: { FAKE_FAILURE: words } });
  assertFails(
    ended,
    /installing the engine .* failed: the engine did not compile\. Read the log, .*\. The full log is /,
  );
  const log = /The full log is (.*)\n$/.exec(ended.stderr)[1];
  assert.ok(readFileSync(log, "utf8").endsWith(`neural-trader==0.1.0\n${words}\n`));
  assert.deepEqual(stage.runtimeNames(), ["0.1.0.log"]);
});

test("a_failed_set_up_is_tried_again_by_the_next_start", async (t) => {
  const stage = makeStage(t);
  await stage.run(["echo"], { env: { FAKE_FAILURE: "error: no luck" } });
  assert.equal((await stage.run(["echo"])).code, 0);
});

test("an_installer_that_brings_another_version_is_not_believed", async (t) => {
  const stage = makeStage(t);
  assertFails(
    await stage.run(["echo"], { env: { FAKE_ENGINE_VERSION: "0.0.9" } }),
    /ended with engine 0\.0\.9 instead of 0\.1\.0/,
  );
  assert.deepEqual(stage.runtimeNames(), ["0.1.0.log"]);
});

test("a_home_that_cannot_be_written_is_one_line", async (t) => {
  const stage = makeStage(t);
  writeFileSync(stage.at("a file"), "");
  // A folder below a regular file stays unwritable for root too.
  const ended = await stage.run(["echo"], { env: { XDG_CACHE_HOME: stage.at("a file", "cache") } });
  assertFails(ended, /cannot write to .* \(ENOTDIR\): set NEURAL_TRADER_HOME/);
});

test("two_starts_at_once_install_once", async (t) => {
  const stage = makeStage(t);
  const started = await Promise.all([1, 2, 3].map(() => stage.run(["echo"], { env: { FAKE_SLOW_MS: "1500" } })));
  assert.deepEqual(
    started.map(({ code }) => code),
    [0, 0, 0],
  );
  assert.equal(stage.installs().length, 1);
  // On a busy machine the last one may come when all is done, and then it has nothing to wait for.
  assert.ok(started.some(({ stderr }) => stderr.includes("waiting for process")));
  assert.deepEqual(stage.runtimeNames(), ["0.1.0", "0.1.0.log"]);
});

test("a_start_after_a_kill_in_the_middle_begins_again", async (t) => {
  const stage = makeStage(t);
  const killed = stage.start(["echo"], { env: { FAKE_SLOW_MS: "60000" } });
  await until(() => stage.installs().length === 1, "the installer runs");
  killed.child.kill("SIGKILL");
  await killed.ended;
  process.kill(stage.installs()[0].pid, "SIGKILL");
  assert.ok(stage.runtimeNames().includes("0.1.0.lock"));

  assert.equal((await stage.run(["echo"])).code, 0);
  assert.deepEqual(stage.runtimeNames(), ["0.1.0", "0.1.0.log"]);
  assert.equal(readdirSync(join(stage.runtimes, "0.1.0")).filter((name) => name.startsWith("env-")).length, 1);
});

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
]) {
  test(`${signal}_during_the_set_up_ends_its_tools_and_leaves_nothing_behind`, async (t) => {
    const stage = makeStage(t);
    const started = stage.start(["echo"], { env: { FAKE_SLOW_MS: "60000" } });
    await until(() => stage.installs().length === 1, "the installer runs");
    started.child.kill(signal);
    const ended = await started.ended;
    assert.equal(ended.code, code);
    assert.match(ended.stderr, new RegExp(`error: interrupted by ${signal}`));
    assert.deepEqual(stage.runtimeNames(), ["0.1.0.log"]);
    await until(() => !isAlive(stage.installs()[0].pid), "the installer has ended");
  });
}

/** A lock as another process would have left it, `seconds` ago. */
function leaveLock(stage, owner, seconds) {
  const lock = join(stage.runtimes, "0.1.0.lock");
  mkdirSync(lock, { recursive: true });
  writeFileSync(join(lock, "owner.json"), JSON.stringify(owner));
  const then = new Date(Date.now() - seconds * 1000);
  utimesSync(lock, then, then);
}

test("a_lock_whose_owner_is_silent_for_long_is_broken_even_if_its_pid_lives", async (t) => {
  const stage = makeStage(t);
  leaveLock(stage, { pid: process.pid, host: hostname(), token: "x" }, 3600);
  assert.equal((await stage.run(["echo"])).code, 0);
});

test("a_lock_of_another_machine_is_respected_until_it_falls_silent", async (t) => {
  const stage = makeStage(t);
  leaveLock(stage, { pid: 999_999_999, host: "elsewhere", token: "x" }, 0);
  const waiting = stage.start(["echo"]);
  await until(() => waiting.written.stderr.includes("waiting for process 999999999"), "it waits");
  leaveLock(stage, { pid: 999_999_999, host: "elsewhere", token: "x" }, 3600);
  assert.equal((await waiting.ended).code, 0);
});
