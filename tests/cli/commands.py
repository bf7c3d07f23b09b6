"""How the tests start commands, and what they get back."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ENVIRONMENT = {
    # What a terminal would add must not decide whether a test passes.
    **{name: value for name, value in os.environ.items() if not name.startswith(("NT__", "PYTEST_", "_TYPER"))},
    "COLUMNS": "80",
    "NT_CATALOG": "catalog",
    "NT_TRIALS": "off",
    "NO_COLOR": "1",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


MAKER = '''\
"""A maker of a user's."""

import neural_trader as nt


class Mine(nt.Strategy):
    """Bid a tick below the best bid whenever nothing works."""

    lots: int = 1

    def on_start(self):
        self.working = False

    def on_book(self, symbol):
        bid = self.best_bid(symbol)
        if not self.working and bid == bid:
            print("bidding", symbol)
            self.buy(self.lots * self.lot(symbol), limit=bid - self.tick(symbol), symbol=symbol, post_only=True)
            self.working = True
'''
"""A strategy for replays, as users write them."""

SYSTEM = """\
%%MatrixMarket matrix coordinate real general
% two systems of two rows, side by side
4 4 8
1 1 4
1 2 -1
2 1 -1
2 2 4
3 3 4
3 4 1
4 4 3
4 1 -1
"""
"""A system as Matrix Market files have it."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def document(self) -> Any:
        """The one JSON document on standard output, which takes no NaN."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    def passed(self) -> Ended:
        assert (self.code, self.err) == (0, ""), self.err
        return self


Command = Callable[..., Ended]
