/** A stage for the launcher: a copy of the package, a home, and a PATH that holds only what a test puts there. */

import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const fakes = join(repository, "tests", "npm", "fakes");
const { fill, makeEnvironment } = createRequire(import.meta.url)("./fakes/environment.cjs");

/** Every stage stands in a folder with spaces and letters that are not ASCII, because some users' homes do. */
export function makeStage(t, { tools = ["uv"], checkout = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "neural trader größe ✓ "));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const at = (...names) => join(folder, ...names);

  for (const name of ["bin", "npm", "package.json"])
    cpSync(join(repository, name), at("package", name), { recursive: true });
  symlinkSync(join(repository, "node_modules"), at("package", "node_modules"));
  if (checkout) {
    mkdirSync(at("package", "rust", "nt-core"), { recursive: true });
    mkdirSync(at("package", "python", "neural_trader"), { recursive: true });
    writeFileSync(at("package", "Cargo.toml"), '[workspace.package]\nrust-version = "1.88"\n');
    writeFileSync(at("package", "pyproject.toml"), '[project]\nname = "neural-trader"\n');
    writeFileSync(at("package", "rust", "nt-core", "lib.rs"), "// first\n");
    writeFileSync(at("package", "python", "neural_trader", "__init__.py"), "# first\n");
  }
  for (const name of ["home", "work", "path"]) mkdirSync(at(name));
  symlinkSync(process.execPath, at("path", "node"));
  for (const tool of tools) symlinkSync(join(fakes, `${tool.replace(/[\d.]+$/, "")}.cjs`), at("path", tool));

  const calls = at("calls.jsonl");
  const env = { PATH: at("path"), HOME: at("home"), FAKE_CALLS: calls };
  const runtimes = at("home", ".cache", "neural-trader", "runtimes");

  return {
    at,
    env,
    runtimes,
    bin: at("package", "bin", "neural-trader.js"),
    runtimeNames: () => (existsSync(runtimes) ? readdirSync(runtimes).sort() : []),
    /** What the stand-ins were called with, oldest first; a line that is being written has no end yet. */
    calls() {
      const text = existsSync(calls) ? readFileSync(calls, "utf8") : "";
      return text
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    },
    /** The commands that filled an environment. */
    installs() {
      return this.calls().filter(({ args }) => args.includes("install"));
    },
    forgetCalls: () => rmSync(calls, { force: true }),
    start: (args, options = {}) =>
      start(at("package", "bin", "neural-trader.js"), args, {
        cwd: at("work"),
        ...options,
        env: { ...env, ...options.env },
      }),
    run(args, options) {
      return this.start(args, options).ended;
    },
  };
}

/** Starts the launcher; `ended` resolves to how it ended and what it wrote. */
export function start(bin, args, { cwd, env, input, detached = false }) {
  const child = spawn(process.execPath, [bin, ...args], { cwd, env, detached });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"])
    child[name].setEncoding("utf8").on("data", (text) => (written[name] += text));
  child.stdin.end(input ?? "");
  const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, ...written })));
  return { child, ended, written };
}

/** A stage whose engine is there already, in an active environment. */
export function makeReadyStage(t) {
  const stage = makeStage(t);
  stage.env.VIRTUAL_ENV = makeFilled(stage.at("active"));
  return stage;
}

/** An environment that holds the stand-in for the engine. */
export function makeFilled(prefix, version) {
  makeEnvironment(prefix);
  fill(prefix, version);
  return prefix;
}

/** Waits until a condition holds, and says which one did not. */
export async function until(condition, what) {
  for (let waited = 0; waited < 30_000; waited += 20) {
    if (condition()) return;
    await sleep(20);
  }
  throw new Error(`waited 30 s in vain: ${what}`);
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
