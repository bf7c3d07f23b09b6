/** Looks for a program on PATH. */

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

const SUFFIXES = process.platform === "win32" ? [".exe", ".cmd", ".bat"] : [""];

/** The first match on PATH, or undefined. */
export function findOnPath(name, env) {
  const folders = (env.PATH ?? env.Path ?? "").split(delimiter).filter(isTrusted);
  const paths = folders.flatMap((folder) => SUFFIXES.map((suffix) => join(folder, name + suffix)));
  return paths.find(isProgram);
}

/** Whether a path names a file that may be executed. */
export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * npx puts `node_modules/.bin` in front of PATH, where a `uv` is an unrelated npm package; a relative folder would let
 * the current directory decide what runs.
 */
function isTrusted(folder) {
  return isAbsolute(folder) && !/[\\/]node_modules[\\/]\.bin[\\/]?$/.test(folder);
}
