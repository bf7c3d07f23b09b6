// What the stand-ins share: the shape of a Python environment, and a diary of who was called with what.

const { appendFileSync, mkdirSync, symlinkSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

exports.note = (tool, args) => {
  const entry = { tool, args, pid: process.pid, cwd: process.cwd(), env: process.env };
  if (process.env.FAKE_CALLS) appendFileSync(process.env.FAKE_CALLS, `${JSON.stringify(entry)}\n`);
};

exports.makeEnvironment = (prefix) => {
  mkdirSync(join(prefix, "bin"), { recursive: true });
  symlinkSync(join(__dirname, "python.cjs"), join(prefix, "bin", "python"));
  writeFileSync(join(prefix, "pyvenv.cfg"), "home = /nowhere\nversion = 3.11.7\n");
};

exports.fill = (prefix, version = process.env.FAKE_ENGINE_VERSION ?? "0.1.0") => {
  mkdirSync(join(prefix, "lib", "python3.11", "site-packages", `neural_trader-${version}.dist-info`), {
    recursive: true,
  });
};

/** Takes FAKE_SLOW_MS to do its work, and fails with the words of FAKE_FAILURE if there are any. */
exports.slowly = (work) => {
  setTimeout(
    () => {
      if (process.env.FAKE_FAILURE) {
        console.error(process.env.FAKE_FAILURE);
        process.exit(1);
      }
      work();
    },
    Number(process.env.FAKE_SLOW_MS ?? 0),
  );
};
