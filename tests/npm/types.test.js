/** The declarations agree with how users write, with what the package exports, and with the documented result. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as api from "../../npm/index.js";
import { makeStage, repository } from "./stage.js";

const read = (...names) => readFileSync(join(repository, ...names), "utf8");

function assertCompiles(path) {
  const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--noEmit", "--strict", "--module", "nodenext", "--lib", "es2022,dom"];
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...flags, path], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
}

test("a_typed_program_compiles_against_the_declarations", () => {
  assertCompiles(join(repository, "tests", "npm", "usage.ts"));
});

test("the_documented_result_has_exactly_the_declared_fields", (t) => {
  const [, example] = /```json\n(.*?)```/s.exec(read("docs", "result-schema.md"));
  const program = makeStage(t).at("example.mts");
  // A literal is checked both ways: a field that is missing and one that is not declared are errors.
  const types = JSON.stringify(join(repository, "npm", "result.js"));
  writeFileSync(program, `const result: import(${types}).BacktestResult = ${example};\nexport default result;\n`);
  assertCompiles(program);
});

test("each_export_is_declared_and_each_declared_value_exists", () => {
  const declared = [...read("npm", "index.d.ts").matchAll(/^export (?:function|class) (\w+)/gm)].map(
    ([, name]) => name,
  );
  assert.deepEqual(declared.sort(), Object.keys(api).sort());
});
