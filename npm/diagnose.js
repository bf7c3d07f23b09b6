/** Reads the log of a failed step and names the usual causes in one line each. */

import { isOffline } from "./tool.js";

/** The first match wins: a compiler's own errors go before the network, whose hiccups cargo reports and survives. */
const CAUSES = [
  {
    signs: /No space left on device|not enough space on the disk|os error 28\b|ENOSPC/i,
    cause: "the disk is full",
    remedy: "Free some space, or set NEURAL_TRADER_HOME to a folder on another disk",
  },
  {
    signs: /linker [`'"]?\S+[`'"]? not found|link\.exe` not found|xcrun: error/i,
    cause: "there is no C linker",
    remedy: 'Install one ("apt install build-essential", "xcode-select --install" or the Visual Studio Build Tools)',
  },
  {
    signs: /could not compile|error\[E\d+\]/i,
    cause: "the engine did not compile",
    remedy: 'Read the log, and try "rustup update" if it blames the compiler',
  },
  {
    signs: new RegExp(
      "name resolution|dns error|Could not resolve host|establish a new connection|error sending request|" +
        "Connection (refused|reset)|Could not connect|unreachable|timed? ?out|ProxyError|tunnel",
      "i",
    ),
    cause: "the network did not answer",
    remedy: "Check the connection, or set NEURAL_TRADER_WHEELHOUSE to a folder of wheels",
  },
  {
    signs: /No (matching distribution found for|version of) neural-trader|neural-trader was not found/i,
    cause: "the package index has no such version for this machine",
    remedy: "Use a released version, or build from a checkout of the sources",
  },
  {
    signs: /No interpreter found/i,
    cause: "there is no Python 3.11 or newer",
    remedy: "Install one from https://www.python.org or with your system's package manager",
  },
  {
    signs: /Permission denied|Access is denied|os error 13\b/i,
    cause: "something may not be written",
    remedy: "Set NEURAL_TRADER_HOME to a folder that you can write to",
  },
];

/** Tools that may not use the network blame all sorts of things, so this comes before what they say. */
const ABSENT = {
  signs: /No matching distribution|network was disabled|connectivity is disabled|No interpreter found|--offline/i,
  cause: "NEURAL_TRADER_OFFLINE is set, and something that is needed is not on this machine",
  remedy: "Unset it for one start, or set NEURAL_TRADER_WHEELHOUSE to a folder of wheels",
};

/** The cause as a clause, and the remedy as a sentence without its full stop. */
export function diagnose(log, { env }) {
  const words = log.replace(/^\$ .*\n/gm, "");
  const causes = isOffline(env) ? [ABSENT, ...CAUSES] : CAUSES;
  const unknown = { cause: complaintIn(words), remedy: "Read the log, then start again" };
  return causes.find(({ signs }) => signs.test(words)) ?? unknown;
}

/** Tools put their error first and advice after it, so the last line is only the second choice. */
function complaintIn(words) {
  const lines = words.split("\n").map((line) => line.trim());
  const complaint = lines.find((line) => /^(error|×)/i.test(line)) ?? lines.findLast(Boolean) ?? "it gave no reason";
  return complaint.slice(0, 200).replace(/\.$/, "");
}
