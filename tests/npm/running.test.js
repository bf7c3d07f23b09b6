/** What the launcher passes to the engine, and what it passes back. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { makeReadyStage, until } from "./stage.js";

const hasPython = spawnSync("python3", ["-c", "import pty"]).status === 0;

test("arguments_reach_the_engine_untouched", async (t) => {
  const stage = makeReadyStage(t);
  const plain = ["two words", "", "größe ✓", "--", "-x", "--json"];
  const args = [...plain, "*", "$HOME", "a\"b'c", "back\\slash", "new\nline"];
  const { stdout, code } = await stage.run(["echo", ...args]);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout).args, args);
});

test("the_exit_code_is_that_of_the_engine", async (t) => {
  const stage = makeReadyStage(t);
  for (const code of [0, 1, 2, 3, 4, 77]) assert.equal((await stage.run(["exit", String(code)])).code, code);
});

test("a_command_that_fails_is_not_run_again", async (t) => {
  const stage = makeReadyStage(t);
  await stage.run(["exit", "1"]);
  const runs = stage.calls().filter(({ args }) => args.includes("neural_trader"));
  assert.equal(runs.length, 1);
});

test("an_engine_that_a_signal_killed_is_never_a_success", async (t) => {
  const stage = makeReadyStage(t);
  for (const [signal, code] of [
    ["SIGKILL", 137],
    ["SIGTERM", 143],
    ["SIGSEGV", 139],
  ]) {
    assert.equal((await stage.run(["die", signal])).code, code, signal);
  }
});

test("standard_input_is_the_engines", async (t) => {
  const { stdout } = await makeReadyStage(t).run(["cat"], { input: "line one\nline two\n" });
  assert.equal(stdout, "line one\nline two\n");
});

test("a_clone_in_which_npm_install_never_ran_is_one_line", async (t) => {
  const stage = makeReadyStage(t);
  rmSync(stage.at("package", "node_modules"));
  const { code, stderr } = await stage.run(["echo"]);
  assert.equal(code, 1);
  assert.match(stderr, /^error: a library is missing: run "npm install" in .*package\n$/);
});

// Without a terminal nobody but the launcher can tell the engine, so a session of its own stands for that case.
for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
  test(`${signal}_is_passed_on_once_and_the_engine_may_finish`, async (t) => {
    const started = makeReadyStage(t).start(["trap"], { detached: true });
    await until(() => started.written.stdout.includes("ready"), "the engine is ready");
    started.child.kill(signal);
    const { code, stdout } = await started.ended;
    assert.equal(stdout, `ready\ngot ${signal}\n`);
    assert.equal(code, 7);
  });
}

test(
  "one_ctrl_c_on_a_terminal_is_one_signal_for_the_engine",
  { skip: !hasPython && "needs python3 for its pty" },
  async (t) => {
    const stage = makeReadyStage(t);
    await stage.run(["exit", "0"]);
    const driver = stage.at("press.py");
    writeFileSync(
      driver,
      [
        "import os, pty, sys",
        "pid, fd = pty.fork()",
        "if pid == 0: os.execve(sys.argv[1], sys.argv[1:], os.environ)",
        "text, pressed = b'', False",
        "while True:",
        "    try: part = os.read(fd, 1024)",
        "    except OSError: break",
        "    if not part: break",
        "    text += part",
        "    if b'ready' in text and not pressed: pressed = True; os.write(fd, b'\\x03')",
        "print(text.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))",
      ].join("\n"),
    );
    const python = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim();
    const options = { cwd: stage.at("work"), env: stage.env, encoding: "utf8" };
    const output = execFileSync(python, [driver, process.execPath, stage.bin, "trap"], options);
    assert.match(output, /got SIGINT\r\n 7\n$/);
  },
);
