/** A start from a clone of the sources: it builds what is there, once per state of the sources. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fingerprint } from "../../npm/sources.js";
import { makeStage, repository, until } from "./stage.js";

const TOOLS = ["uv", "cargo"];

test("a_checkout_installs_itself_and_an_unchanged_one_starts_one_program", async (t) => {
  const stage = makeStage(t, { tools: TOOLS, checkout: true });
  const { code, stderr } = await stage.run(["echo"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /because the engine is compiled/);
  const { args } = stage.installs()[0];
  assert.equal(args.at(-1), stage.at("package"));
  assert.deepEqual(args.slice(args.indexOf("--reinstall-package")).slice(0, 2), [
    "--reinstall-package",
    "neural-trader",
  ]);

  stage.forgetCalls();
  assert.equal((await stage.run(["echo"])).stderr, "");
  assert.equal(stage.calls().length, 1);
});

test("an_edited_checkout_is_built_again_and_its_old_runtime_removed", async (t) => {
  const stage = makeStage(t, { tools: TOOLS, checkout: true });
  await stage.run(["echo"]);
  const before = stage.runtimeNames();
  writeFileSync(stage.at("package", "rust", "nt-core", "lib.rs"), "// second\n");
  assert.equal((await stage.run(["echo"])).code, 0);
  assert.equal(stage.installs().length, 2);
  const after = stage.runtimeNames();
  assert.equal(after.length, 2);
  assert.notDeepEqual(after, before);
});

test("a_runtime_in_use_survives_a_newer_build", async (t) => {
  const stage = makeStage(t, { tools: TOOLS, checkout: true });
  const running = stage.start(["trap"]);
  await until(() => running.written.stdout.includes("ready"), "the engine is ready");
  const [inUse] = stage.runtimeNames();
  writeFileSync(stage.at("package", "rust", "nt-core", "lib.rs"), "// second\n");
  assert.equal((await stage.run(["echo"])).code, 0);
  assert.ok(stage.runtimeNames().includes(inUse));

  running.child.kill("SIGTERM");
  await running.ended;
  writeFileSync(stage.at("package", "rust", "nt-core", "lib.rs"), "// third\n");
  assert.equal((await stage.run(["echo"])).code, 0);
  assert.ok(!stage.runtimeNames().includes(inUse));
});

test("a_checkout_without_cargo_is_one_line", async (t) => {
  const { code, stderr } = await makeStage(t, { tools: ["uv"], checkout: true }).run(["echo"]);
  assert.equal(code, 1);
  assert.match(stderr, /^error: building the engine from .* needs cargo.*https:\/\/rustup\.rs.*\n$/);
});

test("a_compiler_that_is_too_old_is_one_line", async (t) => {
  const stage = makeStage(t, { tools: TOOLS, checkout: true });
  const { code, stderr } = await stage.run(["echo"], { env: { FAKE_CARGO_VERSION: "1.70.0" } });
  assert.equal(code, 1);
  assert.match(stderr, /^error: building the engine needs Rust 1\.88, and .* holds 1\.70: run "rustup update"\n$/);
});

test("the_fingerprint_follows_contents_and_names_and_nothing_else", (t) => {
  const { at } = makeStage(t, { checkout: true });
  const root = at("package");
  const lib = at("package", "rust", "nt-core", "lib.rs");
  const first = fingerprint(root);
  const content = readFileSync(lib);

  utimesSync(lib, new Date(0), new Date(0));
  mkdirSync(at("package", "python", "neural_trader", "__pycache__"));
  writeFileSync(at("package", "python", "neural_trader", "__pycache__", "x.pyc"), "x");
  writeFileSync(at("package", "python", "neural_trader", "_core.abi3.so"), "x");
  assert.equal(fingerprint(root), first);

  writeFileSync(lib, `${content}// more\n`);
  assert.notEqual(fingerprint(root), first);
  writeFileSync(lib, content);
  assert.equal(fingerprint(root), first);

  writeFileSync(at("package", "python", "new.py"), "");
  assert.notEqual(fingerprint(root), first);
});

test("the_fingerprint_of_this_repository_is_quick", () => {
  fingerprint(repository);
  const started = performance.now();
  fingerprint(repository);
  // The aim is 20 ms; the margin is for machines that do something else at the same time.
  assert.ok(performance.now() - started < 200);
});
