"""What makes two trials the same: all that decides a run, whoever plays it, and none of what came of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from neural_trader._native import __version__
from neural_trader.backtesting.result import canonical
from neural_trader.strategy.expressions import FormulaStrategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType

    from neural_trader.strategy.base import Strategy


def key_of(run: Mapping[str, Any], inputs: str, code: str | None) -> str:
    """The key of a run: ``run`` is :attr:`Result.run`, ``inputs`` the digest of its bars, ``code`` what decides.

    A point of a sweep and the backtest with its parameters have the same one, and are one trial.
    """
    # Where bars were made by a seed, their digest says so already.
    decides = {name: value for name, value in run.items() if name != "seed"}
    text = canonical({"run": decides, "inputs": inputs, "code": code, "version": __version__})
    return hashlib.sha256(text.encode()).hexdigest()


def code_of(strategy: type[Strategy], source: str | None) -> str | None:
    """What tells a strategy from another of the same name: its formula, its ``source`` digest, or its functions.

    None for one of the library, which the version tells.
    """
    if issubclass(strategy, FormulaStrategy):
        return strategy.formula.hash
    if source is not None or strategy.__module__.startswith("neural_trader.strategy.library."):
        return source
    digest = hashlib.sha256()
    for owner in strategy.__mro__:
        if owner.__module__.startswith("neural_trader."):
            break
        for name, value in sorted(vars(owner).items()):
            function = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
            if hasattr(function, "__code__"):
                digest.update("\n".join([name, *_words(function.__code__)]).encode())
    return digest.hexdigest()


def _words(code: CodeType) -> Iterator[str]:
    """What a function does, without where it stands."""
    yield code.co_code.hex()
    yield from code.co_names
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield from _words(constant)
        else:
            yield ",".join(sorted(map(repr, constant))) if isinstance(constant, frozenset) else repr(constant)
