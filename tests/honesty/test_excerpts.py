"""An excerpt is the same bars, piece by piece and as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from neural_trader.backtesting.excerpt import Excerpt
from neural_trader.market import synthetic_bars


@pytest.mark.parametrize("factor", [None, 0.5])
def test_an_excerpt_is_the_same_bars_in_pieces_and_as_a_whole(factor: float | None) -> None:
    bars = synthetic_bars()[0]
    excerpt = Excerpt(bars, int(bars.close_ns[200]), int(bars.open_ns[50]), factor)
    whole, pieces = excerpt.whole(), list(excerpt.pieces())
    assert len(whole) == len(excerpt) == sum(len(piece) for piece in pieces) > 151
    for name in ("open_ns", "close_ns", "open", "high", "low", "close", "volume"):
        assert (getattr(whole, name) == np.concatenate([getattr(piece, name) for piece in pieces])).all()
    assert (whole.close[:151] == bars.close[50:201]).all()
    assert (whole.close[151:] != bars.close[201 : len(whole) + 50]).any() == (factor is not None)


def test_an_excerpt_of_nothing_is_empty() -> None:
    bars = synthetic_bars()[0]
    assert len(Excerpt(bars.rows(0, 0), int(bars.close_ns[5])).whole()) == 0
