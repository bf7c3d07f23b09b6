/** Reads the log of a failed step and names the usual causes in one line each; the first match wins. */

const CAUSES = [
  [/No space left on device|not enough space on the disk|os error 28\b|ENOSPC/i,
    "the disk is full",
    "Free some space, or set NEURAL_TRADER_HOME to a folder on another disk"],
  [/linker [`'"]?\S+[`'"]? not found|link\.exe` not found|xcrun: error/i,
    "there is no C linker",
    'Install one ("apt install build-essential", "xcode-select --install", or the Visual Studio Build Tools)'],
  [/could not compile|error\[E\d+\]/i,
    "the engine did not compile",
    'Read the log, and try "rustup update" if it blames the compiler'],
  [/network was disabled|connectivity is disabled|--offline|offline mode/i,
    "NEURAL_TRADER_OFFLINE is set, and something needed is not on this machine",
    "Unset it once, or set NEURAL_TRADER_WHEELHOUSE to a folder of wheels"],
  [/name resolution|dns error|Could not resolve host|establish a new connection|error sending request|Connection (refused|reset)|Could not connect|unreachable|timed? ?out|ProxyError|tunnel/i,
    "the network did not answer",
    "Check the connection, or set NEURAL_TRADER_WHEELHOUSE to a folder of wheels"],
  [/No (matching distribution found for|version of) neural-trader|neural-trader was not found/i,
    "the package index has no such version for this machine",
    "Use a released version, or build from a checkout of the sources"],
  [/No interpreter found/i,
    "there is no Python 3.11 or newer",
    "Install one from https://www.python.org or with your system's package manager"],
  [/Permission denied|Access is denied|os error 13\b/i,
    "something may not be written",
    "Set NEURAL_TRADER_HOME to a folder that you can write to"],
];

/** The cause as a clause, and the remedy as a sentence without its full stop. */
export function diagnose(log) {
  const [, cause, remedy] = CAUSES.find(([pattern]) => pattern.test(log)) ?? [];
  return { cause: cause ?? complaintIn(log), remedy: remedy ?? "Read the log, then start again" };
}

/** Tools put their error first and advice after it, so the last line is only the second choice. */
function complaintIn(log) {
  const lines = log.split("\n").map((line) => line.trim()).filter(Boolean);
  const complaint = lines.find((line) => /^(error|×)/i.test(line)) ?? lines.at(-1) ?? "it gave no reason";
  return complaint.slice(0, 200).replace(/\.$/, "");
}
