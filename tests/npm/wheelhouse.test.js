/** The command lines that real tools get: a wheel made here, a real uv, a real venv and pip, and no network. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { test } from "node:test";
import { makeStage } from "./stage.js";

/** A real Python 3.11 or newer, asked for its own path because shims do not work on a stage's PATH. */
const python = ["python3.13", "python3.12", "python3.11", "python3"]
  .map((name) =>
    spawnSync(name, ["-c", "import sys; print(sys.executable if sys.version_info >= (3, 11) else '')"], {
      encoding: "utf8",
    }),
  )
  .map(({ status, stdout }) => (status === 0 ? stdout.trim() : ""))
  .find(Boolean);
const hasUv = python && spawnSync("uv", ["--version"]).status === 0;

/** The smallest wheel that Python can run as `python -m neural_trader`. */
const MAKE_WHEEL = `
import sys, zipfile
info = "neural_trader-0.1.0.dist-info"
files = {
    "neural_trader/__init__.py": "",
    "neural_trader/__main__.py": (
        "import sys, json\\n"
        "print(json.dumps([sys.prefix, sys.argv[1:], sys.flags.safe_path, sys.flags.utf8_mode]))\\n"
    ),
    f"{info}/METADATA": "Metadata-Version: 2.1\\nName: neural-trader\\nVersion: 0.1.0\\n",
    f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
with zipfile.ZipFile(sys.argv[1] + "/neural_trader-0.1.0-py3-none-any.whl", "w") as wheel:
    for name, text in files.items(): wheel.writestr(name, text)
`;

async function assertInstalls(stage, env) {
  mkdirSync(stage.at("wheels"));
  execFileSync(python, ["-c", MAKE_WHEEL, stage.at("wheels")]);
  const offline = { NEURAL_TRADER_WHEELHOUSE: stage.at("wheels"), NEURAL_TRADER_OFFLINE: "1" };
  const { code, stdout, stderr } = await stage.run(["größe ✓", ""], { env: { ...offline, ...env } });
  assert.equal(code, 0, stderr);
  const [prefix, args, ...flags] = JSON.parse(stdout);
  assert.ok(prefix.startsWith(stage.runtimes), prefix);
  assert.deepEqual(
    [args, flags],
    [
      ["größe ✓", ""],
      [true, 1],
    ],
  );
}

test("a_real_pip_installs_from_a_wheelhouse", { skip: !python && "needs Python 3.11 or newer" }, async (t) => {
  const stage = makeStage(t, { tools: [] });
  symlinkSync(python, stage.at("path", "python3"));
  await assertInstalls(stage);
});

test("a_real_uv_installs_from_a_wheelhouse", { skip: !hasUv && "needs uv and Python 3.11 or newer" }, async (t) => {
  await assertInstalls(makeStage(t, { tools: [] }), { PATH: process.env.PATH });
});
