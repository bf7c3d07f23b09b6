/** What a Python environment holds, read from its files: to start Python and ask would double the time of a start. */

import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";

/** The interpreter of a virtual or conda environment, or undefined; a link to a removed Python counts as none. */
export function interpreterOf(prefix, platform = process.platform) {
  const places = platform === "win32" ? ["Scripts/python.exe", "python.exe"] : ["bin/python", "bin/python3"];
  return places.map((place) => join(prefix, place)).find((path) => existsSync(path));
}

/** The version of the engine that an environment holds (in Python's spelling), or undefined. */
export function engineVersionIn(prefix, platform = process.platform) {
  const folder = sitePackages(prefix, platform);
  const names = folder && existsSync(folder) ? readdirSync(folder) : [];
  const engine = names.find((name) => /^neural_trader-.+\.dist-info$/.test(name));
  return engine?.slice("neural_trader-".length, -".dist-info".length);
}

/** An upgraded environment keeps the folders of older Pythons, so the minor version must be known, not guessed. */
function sitePackages(prefix, platform) {
  if (platform === "win32") return join(prefix, "Lib", "site-packages");
  const minor = minorVersionOf(prefix);
  return minor && join(prefix, "lib", `python${minor}`, "site-packages");
}

/** Virtual environments write their version down; conda's interpreter is a link to `python3.12`. */
function minorVersionOf(prefix) {
  try {
    const settings = readFileSync(join(prefix, "pyvenv.cfg"), "utf8");
    return /^version(?:_info)?\s*=\s*(\d+\.\d+)/m.exec(settings)?.[1];
  } catch {
    const interpreter = interpreterOf(prefix);
    return interpreter && /^python(\d+\.\d+)$/.exec(basename(realpathSync(interpreter)))?.[1];
  }
}
