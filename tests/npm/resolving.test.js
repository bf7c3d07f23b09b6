/** Which Python runs the engine: the override, an environment of this version, the managed runtime, a first start. */

import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { engineVersionIn, interpreterOf } from "../../npm/environment.js";
import { pythonVersion } from "../../npm/package.js";
import { dataFolder } from "../../npm/runtime.js";
import { fakes, makeFilled, makeStage } from "./stage.js";

async function pythonOf(stage, env) {
  const { stdout, stderr } = await stage.run(["echo"], { env });
  return stdout ? JSON.parse(stdout).python : assert.fail(stderr);
}

for (const variable of ["VIRTUAL_ENV", "CONDA_PREFIX"]) {
  test(`${variable}_with_this_version_is_used_and_no_other_program_starts`, async (t) => {
    const stage = makeStage(t);
    const prefix = makeFilled(stage.at("an env"));
    assert.equal(await pythonOf(stage, { [variable]: prefix }), join(prefix, "bin", "python"));
    assert.equal(stage.calls().length, 1);
  });
}

test("a_venv_in_the_current_folder_is_used", async (t) => {
  const stage = makeStage(t);
  const prefix = makeFilled(stage.at("work", ".venv"));
  assert.equal(await pythonOf(stage), join(prefix, "bin", "python"));
});

test("an_active_environment_goes_before_the_one_in_the_current_folder", async (t) => {
  const stage = makeStage(t);
  makeFilled(stage.at("work", ".venv"));
  const active = makeFilled(stage.at("active"));
  assert.equal(await pythonOf(stage, { VIRTUAL_ENV: active }), join(active, "bin", "python"));
});

test("an_environment_of_another_version_is_passed_over", async (t) => {
  const stage = makeStage(t);
  const prefix = makeFilled(stage.at("work", ".venv"), "0.0.9");
  assert.ok((await pythonOf(stage, { VIRTUAL_ENV: prefix })).startsWith(stage.runtimes));
});

test("an_environment_whose_python_was_removed_is_passed_over", async (t) => {
  const stage = makeStage(t);
  const prefix = makeFilled(stage.at("work", ".venv"));
  rmSync(join(prefix, "bin", "python"));
  symlinkSync("/nowhere/python3.11", join(prefix, "bin", "python"));
  assert.ok((await pythonOf(stage)).startsWith(stage.runtimes));
});

test("packages_of_an_older_python_in_the_same_environment_do_not_count", (t) => {
  const prefix = makeFilled(makeStage(t).at("upgraded"));
  writeFileSync(join(prefix, "pyvenv.cfg"), "version_info = 3.12.1\n");
  assert.equal(engineVersionIn(prefix), undefined);
});

test("a_conda_environment_is_read_without_a_pyvenv_cfg", (t) => {
  const prefix = makeStage(t).at("conda");
  mkdirSync(join(prefix, "bin"), { recursive: true });
  mkdirSync(join(prefix, "lib", "python3.12", "site-packages", "neural_trader-0.1.0.dist-info"), { recursive: true });
  writeFileSync(join(prefix, "bin", "python3.12"), "");
  symlinkSync("python3.12", join(prefix, "bin", "python"));
  assert.equal(engineVersionIn(prefix), "0.1.0");
});

test("the_layout_of_windows_is_known", (t) => {
  const prefix = makeStage(t).at("win");
  mkdirSync(join(prefix, "Lib", "site-packages", "neural_trader-0.1.0.dist-info"), { recursive: true });
  mkdirSync(join(prefix, "Scripts"));
  writeFileSync(join(prefix, "Scripts", "python.exe"), "");
  assert.equal(engineVersionIn(prefix, "win32"), "0.1.0");
  assert.equal(interpreterOf(prefix, "win32"), join(prefix, "Scripts/python.exe"));
});

test("the_override_goes_before_everything", async (t) => {
  const stage = makeStage(t);
  makeFilled(stage.at("work", ".venv"));
  const python = join(makeFilled(stage.at("mine")), "bin", "python");
  assert.equal(await pythonOf(stage, { NEURAL_TRADER_PYTHON: python }), python);
  assert.equal(stage.calls().length, 1);
});

test("an_override_outside_an_environment_is_asked_for_its_engine", async (t) => {
  const stage = makeStage(t, { tools: ["python3"] });
  for (const found of ["0.1.0", "sources"]) {
    const env = { NEURAL_TRADER_PYTHON: "python3", FAKE_ENGINE_FOUND: found };
    assert.equal(await pythonOf(stage, env), stage.at("path", "python3"));
  }
});

for (const [found, complaint] of [
  ["none", "has no neural_trader"],
  ["0.0.9", "holds neural_trader 0.0.9"],
  ["", "not a working Python"],
]) {
  test(`an_override_that_answers_${found || "nothing"}_is_an_error_and_not_replaced`, async (t) => {
    const stage = makeStage(t, { tools: ["python3", "uv"] });
    const env = { NEURAL_TRADER_PYTHON: stage.at("path", "python3"), FAKE_ENGINE_FOUND: found };
    const { code, stdout, stderr } = await stage.run(["echo"], { env });
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`^error: NEURAL_TRADER_PYTHON names .*${complaint}.*\n$`));
    assert.deepEqual(stage.installs(), []);
  });
}

test("an_override_that_does_not_exist_is_an_error", async (t) => {
  const { code, stderr } = await makeStage(t).run(["echo"], { env: { NEURAL_TRADER_PYTHON: "/nowhere/python" } });
  assert.equal(code, 1);
  assert.match(stderr, /^error: NEURAL_TRADER_PYTHON names \/nowhere\/python, which is not a program.*\n$/);
});

test("an_npm_package_that_is_called_uv_is_not_taken_for_uv", async (t) => {
  const stage = makeStage(t, { tools: ["python3"] });
  const impostor = stage.at("node_modules", ".bin");
  mkdirSync(impostor, { recursive: true });
  symlinkSync(join(fakes, "uv.cjs"), join(impostor, "uv"));
  await stage.run(["echo"], { env: { PATH: `${impostor}:${stage.env.PATH}` } });
  assert.ok(stage.calls().every(({ tool }) => tool === "python"));
});

test("pre_releases_are_spelled_as_python_spells_them", () => {
  const table = { "1.2.3": "1.2.3", "1.2.0-alpha.1": "1.2.0a1", "1.2.0-beta.3": "1.2.0b3", "1.2.0-rc.10": "1.2.0rc10" };
  for (const [npm, python] of Object.entries(table)) assert.equal(pythonVersion(npm), python);
});

test("each_system_keeps_its_runtimes_where_its_users_expect_them", () => {
  const home = process.env.HOME;
  assert.equal(dataFolder({ NEURAL_TRADER_HOME: "/x" }, "linux"), "/x");
  assert.equal(dataFolder({ XDG_CACHE_HOME: "/c" }, "linux"), "/c/neural-trader");
  assert.equal(dataFolder({ XDG_CACHE_HOME: "relative" }, "linux"), join(home, ".cache", "neural-trader"));
  assert.equal(dataFolder({}, "darwin"), join(home, "Library", "Caches", "neural-trader"));
  assert.equal(dataFolder({ LOCALAPPDATA: "/local" }, "win32"), "/local/neural-trader");
});
