/** The declarations agree with how users write, and with what the package exports. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as api from "../../npm/index.js";
import { repository } from "./stage.js";

test("a_typed_program_compiles_against_the_declarations", () => {
  const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--noEmit", "--strict", "--module", "nodenext", "--lib", "es2022,dom"];
  const { status, stdout } = spawnSync(
    process.execPath,
    [tsc, ...flags, join(repository, "tests", "npm", "usage.ts")],
    { encoding: "utf8" },
  );
  assert.equal(status, 0, stdout);
});

test("each_export_is_declared_and_each_declared_value_exists", () => {
  const text = readFileSync(join(repository, "npm", "index.d.ts"), "utf8");
  const declared = [...text.matchAll(/^export (?:function|class) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(declared.sort(), Object.keys(api).sort());
});
