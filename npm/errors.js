/** The one error of this package, and the sentences for failures of the file system. */

/** A set-up that failed, or an engine that ended with a code other than 0; the message is one line for a person. */
export class NeuralTraderError extends Error {
  name = "NeuralTraderError";

  constructor(message, { exitCode = 1, signal, stdout = "", stderr = "", cause } = {}) {
    super(message, { cause });
    Object.assign(this, { exitCode, signal, stdout, stderr });
  }
}

const REMEDIES = {
  ENOSPC: "the disk is full; free some space, or set NEURAL_TRADER_HOME to a folder on another disk",
  EDQUOT: "the disk quota is used up; free some space, or set NEURAL_TRADER_HOME to a folder on another disk",
};

/** Says in one line what could not be written, and what to do about it. */
export function unwritable(path, error) {
  const remedy = REMEDIES[error.code] ?? "set NEURAL_TRADER_HOME to a folder that you can write to";
  return new NeuralTraderError(`cannot write to ${path} (${error.code ?? error.message}): ${remedy}`, { cause: error });
}
