"""Bars made by hand are held to what loading holds files to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.errors import DataError
from neural_trader.market import Bars, synthetic_bars


def changed(name: str, row: int, value: int) -> Bars:
    (bars,) = synthetic_bars(symbols="AAA", bars=50)
    column = getattr(bars, name).copy()
    column[row] = value
    return replace(bars, **{name: column})


@pytest.mark.parametrize(
    ("bars", "fragment"),
    [
        (changed("low", 7, 0), "AAA, row 7, column 'low': 0 is not above zero"),
        (changed("high", 7, 1), "AAA, row 7, column 'high'"),
        (changed("volume", 7, -1), "AAA, row 7, column 'volume'"),
        (changed("close_ns", 7, 0), "AAA, bar 7: it must close after it opens"),
        (
            changed("open_ns", 7, 1),
            "AAA, bar 7: it must close after it opens, and open no earlier than the last closed",
        ),
        (replace(changed("low", 0, 1), close=np.ones(3, dtype=np.int64)), "AAA, close: (3,) values for 50 bars"),
        (replace(changed("low", 0, 1), close=np.ones(50)), "AAA, close: give a contiguous numpy array of int64"),
    ],
)
def test_bars_that_contradict_themselves_are_refused(bars: Bars, fragment: str) -> None:
    with pytest.raises(DataError) as refused:
        nt.backtest("sma_cross", bars)
    assert fragment in str(refused.value)
    assert "\n" not in str(refused.value)


def test_consistent_bars_are_played() -> None:
    assert len(nt.backtest("sma_cross", synthetic_bars(bars=300)).time_ns) == 300
