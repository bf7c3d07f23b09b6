"""nt-features and its plain Python twins agree to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader import _core
from neural_trader.baseline import indicators
from random_markets import Market, drawn_parameters


def assert_bit_equal(name: str, parameters: tuple[int, ...], market: Market) -> None:
    fast = _core.feature_column(name, parameters, *market.columns, market.volume)
    slow = np.array(indicators.column(name, parameters, market.bars()))
    same = (fast.view(np.int64) == slow.view(np.int64)) | (np.isnan(fast) & np.isnan(slow))
    if not same.all():
        at = int(np.argmin(same))
        pytest.fail(f"{name}{parameters} at bar {at}: {fast[at]!r} in Rust, {slow[at]!r} in Python")


@pytest.mark.parametrize("block", range(10))
def test_every_feature_is_bit_equal_over_seeded_markets(block: int) -> None:
    for seed in range(50 * block, 50 * block + 50):
        market = Market.seeded(seed, size=120)
        for name, parameters in drawn_parameters(np.random.default_rng(seed)).items():
            assert_bit_equal(name, parameters, market)


@st.composite
def markets(draw: st.DrawFn) -> Market:
    size = draw(st.integers(1, 60))

    def column(least: int, most: int) -> np.ndarray:
        values = draw(st.lists(st.integers(least, most), min_size=size, max_size=size))
        return np.array(values, dtype=np.int64)

    start = draw(st.integers(1, 2**40))
    pace = draw(st.sampled_from([0, 1, 50, 10**6, 2**33]))
    return Market.of(start, column(-pace, pace), column(0, pace), column(0, pace), column(0, 2**30))


@given(market=markets(), seed=st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_every_feature_is_bit_equal_over_any_market(market: Market, seed: int) -> None:
    for name, parameters in drawn_parameters(np.random.default_rng(seed)).items():
        assert_bit_equal(name, parameters, market)


def test_both_tables_list_the_same_features() -> None:
    table = {name: (kind.parameters, kind.dimension) for name, kind in indicators.KINDS.items()}
    assert {name: row[:2] for name, row in _core.feature_names().items()} == table
    assert all(line.endswith(".") and len(line) < 80 for _, _, line in _core.feature_names().values())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("smaa", (5,)),
        ("sma", ()),
        ("sma", (5, 5)),
        ("sma", (0,)),
        ("sma", (2.5,)),
        ("sma", (float("nan"),)),
        ("ema", (float("inf"),)),
        ("sma", (1_000_001,)),
        ("rsi", (1,)),
        ("deviation", (1,)),
        ("volatility", (1,)),
        ("macd", (26, 12)),
        ("macd", (12, 12)),
        ("macd_signal", (12, 26, 0)),
        ("momentum", (3, 3)),
        ("momentum", (3, -1)),
    ],
)
def test_both_refuse_the_same_parameters(name: str, parameters: tuple[float, ...]) -> None:
    market = Market.seeded(1, size=5)
    with pytest.raises(ValueError, match=name) as fast:
        _core.feature_column(name, parameters, *market.columns)
    with pytest.raises(ValueError, match=name) as slow:
        indicators.make(name, parameters)
    assert str(fast.value).split(", not ")[0] == str(slow.value).split(", not ")[0]


def test_columns_that_do_not_fit_are_refused() -> None:
    market = Market.seeded(2, size=9)
    with pytest.raises(ValueError, match="column high has 8 values and close has 9"):
        _core.feature_column("sma", [2], market.open, market.high[1:], market.low, market.close)
    with pytest.raises(ValueError, match="volume_mean needs volume"):
        _core.feature_column("volume_mean", [2], *market.columns)
