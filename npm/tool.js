/** Runs the tools of a set-up: briefly, to ask one something, or at length, with everything it says in a log. */

import { execa } from "execa";

/** These would make an installer look at, or write into, another environment than ours. */
const LEAKS = [
  "CONDA_PREFIX",
  "PIP_PREFIX",
  "PIP_REQUIRE_VIRTUALENV",
  "PIP_TARGET",
  "PIP_USER",
  "PYTHONDONTWRITEBYTECODE",
  "PYTHONHOME",
  "PYTHONPATH",
  "VIRTUAL_ENV",
  "__PYVENV_LAUNCHER__",
];

const isWindows = process.platform === "win32";

/** How each tool of a set-up is told to leave the network alone. */
const OFFLINE = { CARGO_NET_OFFLINE: "true", PIP_NO_INDEX: "1", UV_OFFLINE: "1" };

/** The user's environment without the variables that would lead an installer astray. */
export function installerEnvironment(env) {
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !LEAKS.includes(name)));
  return isOffline(env) ? { ...kept, ...OFFLINE } : kept;
}

/** Whether the user has said that nothing may touch the network. */
export function isOffline(env) {
  return ![undefined, "", "0"].includes(env.NEURAL_TRADER_OFFLINE);
}

/** What a tool prints, or undefined if it does not run or does not succeed. */
export async function ask([file, ...args], env) {
  const options = { env, extendEnv: false, stdin: "ignore", stderr: "ignore", timeout: 30_000, reject: false };
  const result = await execa(file, args, options);
  return result.failed ? undefined : result.stdout;
}

/** Runs a tool to its end with its output in `log` (a file descriptor); answers whether it succeeded. */
export async function perform([file, ...args], { cwd, env, log, signal }) {
  signal?.throwIfAborted();
  // A group of its own, because pip and uv do not pass a signal on to the compilers that they started.
  const options = { cwd, env, extendEnv: false, stdio: ["ignore", log, log], detached: !isWindows, reject: false };
  const tool = execa(file, args, options);
  const stop = () => endGroup(tool.pid);
  signal?.addEventListener("abort", stop);
  const result = await tool;
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
  return !result.failed;
}

function endGroup(pid) {
  try {
    process.kill(isWindows ? pid : -pid, "SIGTERM");
  } catch {
    // It has just ended by itself.
  }
}
