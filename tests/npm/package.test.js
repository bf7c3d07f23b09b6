/** What is published: the files, the metadata, and a tarball that npm installs and that runs, all without a network. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeStage, repository, start } from "./stage.js";

const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
const lock = JSON.parse(readFileSync(join(repository, "package-lock.json"), "utf8"));
const ALLOWED = /^(package\.json|README\.md|LICENSE(-MIT|-APACHE)?|bin\/neural-trader\.js|npm\/[a-z]+\.(js|d\.ts))$/;

function npm(args, { cwd, home }) {
  const env = { PATH: process.env.PATH, HOME: home, npm_config_offline: "true", npm_config_update_notifier: "false" };
  return execFileSync("npm", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

test("the_tarball_holds_the_launcher_and_nothing_else", (t) => {
  const [{ files }] = JSON.parse(
    npm(["pack", "--dry-run", "--json"], { cwd: repository, home: makeStage(t).at("home") }),
  );
  const paths = files.map(({ path }) => path);
  assert.deepEqual(
    paths.filter((path) => !ALLOWED.test(path)),
    [],
  );
  for (const path of ["bin/neural-trader.js", "npm/index.js", "npm/index.d.ts"]) assert.ok(paths.includes(path), path);
});

test("installing_runs_no_scripts", () => {
  const names = Object.keys(manifest.scripts).filter((name) => /install|prepare|prepack|postpack/.test(name));
  assert.deepEqual(names, []);
  assert.deepEqual(
    Object.entries(lock.packages).filter(([, entry]) => entry.hasInstallScript),
    [],
  );
});

test("execa_is_the_only_dependency", () => {
  assert.deepEqual(Object.keys(manifest.dependencies), ["execa"]);
});

test("the_lock_file_names_no_private_host", () => {
  const hosts = Object.values(lock.packages).flatMap(({ resolved }) => (resolved ? [new URL(resolved).host] : []));
  assert.deepEqual(
    hosts.filter((host) => host !== "registry.npmjs.org"),
    [],
  );
});

test("the_version_is_that_of_the_engine", () => {
  const cargo = readFileSync(join(repository, "Cargo.toml"), "utf8");
  assert.equal(manifest.version, /^version = "(.*)"/m.exec(cargo)[1]);
  assert.equal(manifest.version, lock.version);
});

test("the_packed_package_installs_and_runs", async (t) => {
  const stage = makeStage(t);
  const source = stage.at("source");
  const project = stage.at("project");
  for (const folder of [source, project]) mkdirSync(folder);
  for (const name of ["bin", "npm"]) cpSync(join(repository, name), join(source, name), { recursive: true });
  // Bundled for this test alone, because without a network npm could not fetch what it depends on.
  writeFileSync(
    join(source, "package.json"),
    JSON.stringify({ ...manifest, devDependencies: {}, bundleDependencies: true }),
  );
  for (const name of Object.keys(lock.packages).filter((path) => path && !lock.packages[path].dev)) {
    cpSync(join(repository, name), join(source, name), { recursive: true });
  }
  const home = stage.at("home");
  const [{ filename }] = JSON.parse(npm(["pack", "--json", "--pack-destination", stage.at()], { cwd: source, home }));
  writeFileSync(join(project, "package.json"), '{"name": "project", "version": "1.0.0"}');
  npm(["install", "--no-audit", "--no-fund", stage.at(filename)], { cwd: project, home });

  const launcher = join(project, "node_modules", ".bin", "neural-trader");
  assert.ok(existsSync(launcher));
  const { code, stdout, stderr } = await start(launcher, ["echo", "hello"], { cwd: project, env: stage.env }).ended;
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).args, ["hello"]);

  const program = 'import { backtest } from "neural-trader"; console.log((await backtest()).schema);';
  const env = { ...stage.env, HOME: home };
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: project,
    env,
    encoding: "utf8",
  });
  assert.equal(output, "neural-trader.result/1\n");
});
