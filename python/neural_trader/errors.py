"""Every error that neural-trader raises on purpose; each knows the exit code of the command that ends with it.

NeuralTraderError (1)
├── UsageError (2)        the command or call is wrong
├── DataError (3)         market data cannot be used as it is
├── ConfigError (3)       a configuration file or value cannot be used
├── StrategyError         a strategy cannot be loaded (3: it is input) or raised while it ran (1)
│   ├── StrategyLoadError (3)
│   └── StrategyRunError (1)
├── EngineError (1)       an exact computation left its range
└── VerificationError (4) a report or run does not reproduce
"""

from __future__ import annotations


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


class VerificationError(NeuralTraderError):
    """A report or run does not reproduce."""

    exit_code = 4
