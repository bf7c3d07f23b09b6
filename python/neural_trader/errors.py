"""Every error that neural-trader raises on purpose; each knows the exit code of the command that ends with it.

NeuralTraderError (1)
├── UsageError (2)        the command or call is wrong
├── DataError (3)         market data cannot be used as it is
├── ConfigError (3)       a configuration file or value cannot be used
├── StrategyError         a strategy cannot be loaded (3: it is input) or raised while it ran (1)
│   ├── StrategyLoadError (3)
│   └── StrategyRunError (1)
├── EngineError (1)       an exact computation left its range
├── RunStopped (0)        a run stopped where it was to, and is saved
└── VerificationError (4) a report or run does not reproduce
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class NeuralTraderError(Exception):
    """Base of all errors raised on purpose. The message is one line: what, where, what to do."""

    exit_code = 1


class UsageError(NeuralTraderError):
    """The command line or call is wrong."""

    exit_code = 2


class DataError(NeuralTraderError):
    """Market data that cannot be used as it is; the message names file, row, column and value where it can."""

    exit_code = 3


class ConfigError(NeuralTraderError):
    """A configuration file or value that cannot be used."""

    exit_code = 3


class StrategyError(NeuralTraderError):
    """Something is wrong with a strategy."""


class StrategyLoadError(StrategyError):
    """A strategy that cannot be found, read or parametrised."""

    exit_code = 3


class StrategyRunError(StrategyError):
    """A strategy raised while it ran; the cause is chained."""


class EngineError(NeuralTraderError):
    """An exact computation left the range of its integers, or the engine was used out of order."""


class RunStopped(NeuralTraderError):
    """A run stopped where it was asked to; ``path`` is the snapshot from which it goes on.

    ``time_ns`` is when that was by the clock of the run, and ``turns`` what the strategy had had of it by then.
    """

    exit_code = 0

    def __init__(self, message: str, *, path: Path | None = None, time_ns: int = 0, turns: int = 0) -> None:
        super().__init__(message)
        self.path, self.time_ns, self.turns = path, time_ns, turns


class VerificationError(NeuralTraderError):
    """A report or run does not reproduce."""

    exit_code = 4
