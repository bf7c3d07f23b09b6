/** Tells how far a set-up has come: a live line with its seconds on a terminal, plain lines anywhere else. */

const CLEAR = "\r\x1b[2K";

/** Progress for people, on a stream that is not the one for results. */
export function streamProgress(stream = process.stderr) {
  return createProgress(
    (line) => stream.write(`${line}\n`),
    stream.isTTY ? (line) => stream.write(CLEAR + line) : undefined,
  );
}

/** `print` gets finished lines; `redraw`, where it exists, gets the current one over and over. */
export function createProgress(print, redraw) {
  const started = Date.now();
  let current;
  let timer;

  const render = () => `  ${String(Math.round((Date.now() - started) / 1000)).padStart(4)} s  ${current}`;
  const finish = () => {
    clearInterval(timer);
    if (redraw && current) redraw(`${render()}\n`);
    current = undefined;
  };

  return {
    announce: print,
    step(text) {
      if (text === current) return;
      finish();
      current = text;
      if (!redraw) return print(render());
      redraw(render());
      timer = setInterval(() => redraw(render()), 1000).unref();
    },
    finish,
  };
}
