/** The managed runtime: a private Python environment per version of the engine, complete once its marker is written. */

import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { interpreterOf } from "./environment.js";
import { isRunning } from "./lock.js";
import { isCheckout, root, version } from "./package.js";
import { fingerprint } from "./sources.js";

const MARKER = "complete.json";

/** The runtime that belongs to this package; the sources of a checkout may change while the version does not. */
export function managedRuntime(env) {
  const key = isCheckout ? `${version}+${fingerprint(root)}` : version;
  const home = join(dataFolder(env), "runtimes");
  const folder = join(home, key);
  return { key, home, folder, lock: `${folder}.lock`, log: `${folder}.log` };
}

/** Where the user's machine keeps what can be made again; NEURAL_TRADER_HOME decides if it is set. */
export function dataFolder(env, platform = process.platform) {
  if (env.NEURAL_TRADER_HOME) return resolve(env.NEURAL_TRADER_HOME);
  if (platform === "win32") return join(env.LOCALAPPDATA || join(homedir(), "AppData", "Local"), "neural-trader");
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "neural-trader");
  // The specification of these folders says that a relative path is to be ignored.
  const cache = isAbsolute(env.XDG_CACHE_HOME ?? "") ? env.XDG_CACHE_HOME : join(homedir(), ".cache");
  return join(cache, "neural-trader");
}

/** The interpreter of a complete runtime, or undefined; a marker of another version, or none, means incomplete. */
export function readyPython({ key, folder }) {
  const marker = readMarker(folder);
  return marker?.key === key ? interpreterOf(join(folder, marker.environment)) : undefined;
}

/** Declares a runtime complete, in one step that cannot be seen half done. */
export function writeMarker({ key, folder }, environment) {
  const draft = join(folder, `${MARKER}.${process.pid}`);
  writeFileSync(draft, JSON.stringify({ key, environment, source: isCheckout ? root : null }));
  renameSync(draft, join(folder, MARKER));
}

/** Notes that this process uses a checkout's runtime, so that a newer build of the same checkout leaves it alone. */
export function holdRuntime({ folder }) {
  const note = join(folder, "users", String(process.pid));
  if (!isCheckout || existsSync(note)) return;
  try {
    mkdirSync(dirname(note), { recursive: true });
    writeFileSync(note, "");
  } catch {
    // A runtime that we may not write to is not one that we would remove either.
    return;
  }
  process.once("exit", () => rmSync(note, { force: true }));
}

/** Removes what older states of this checkout left behind: each may take some 250 MB, and every edit makes one. */
export function removeOutdated({ key, home }) {
  for (const name of readdirSync(home)) {
    const folder = join(home, name);
    if (name === key || readMarker(folder)?.source !== root || isInUse(folder)) continue;
    try {
      // Without its marker a folder that is only half removed cannot be taken for a complete one.
      for (const path of [join(folder, MARKER), `${folder}.log`, folder])
        rmSync(path, { recursive: true, force: true });
    } catch {
      // Space that cannot be freed is no reason to fail a start that could go ahead.
    }
  }
}

function isInUse(folder) {
  const users = join(folder, "users");
  return existsSync(users) && readdirSync(users).some((pid) => isRunning(Number(pid)));
}

function readMarker(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, MARKER), "utf8"));
  } catch {
    return undefined;
  }
}
