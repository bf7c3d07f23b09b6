"""Laws that every feature keeps, whatever the market."""

from __future__ import annotations

import numpy as np
import pytest

from neural_trader import _core
from neural_trader.baseline import indicators
from random_markets import Market, drawn_parameters

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_nan_comes_first_and_exactly_as_long_as_the_warm_up(seed: int) -> None:
    market = Market.seeded(seed)
    for name, parameters in drawn_parameters(np.random.default_rng(seed)).items():
        values = _core.feature_column(name, parameters, *market.columns, market.volume)
        warmup = indicators.make(name, parameters).warmup
        assert np.isnan(values[:warmup]).all(), name
        assert not np.isnan(values[warmup:]).any(), name


@pytest.mark.parametrize("seed", SEEDS)
def test_values_stay_in_their_bounds(seed: int) -> None:
    market = Market.seeded(seed)
    n = 2 + seed

    def warm(name: str, *parameters: int) -> np.ndarray:
        values = _core.feature_column(name, parameters, *market.columns, market.volume)
        return np.asarray(values[indicators.make(name, parameters).warmup :])

    assert (warm("highest", n) >= warm("sma", n)).all()
    assert (warm("sma", n) >= warm("lowest", n)).all()
    assert ((warm("rsi", n) >= 0) & (warm("rsi", n) <= 100)).all()
    for name in ("deviation", "volatility", "atr"):
        assert (warm(name, n) >= 0).all(), name
    assert (warm("momentum", n, 0) > -1).all()
    # No spread is wider than half the range of the window.
    assert (warm("deviation", n) <= (warm("highest", n) - warm("lowest", n)) / 2 * (1 + 1e-12)).all()


@pytest.mark.parametrize("level", [1, 100, 123_456_789])
def test_a_constant_market_has_constant_features(level: int) -> None:
    market = Market.of(level, *np.zeros((3, 100), dtype=np.int64), np.full(100, 7))
    wanted = {"sma": level, "ema": level, "highest": level, "lowest": level, "volume_mean": 7, "rsi": 50}
    wanted |= dict.fromkeys(("deviation", "atr", "volatility", "macd", "macd_signal", "momentum"), 0)
    for name, parameters in drawn_parameters(np.random.default_rng(level)).items():
        values = _core.feature_column(name, parameters, *market.columns, market.volume)
        assert values[-1] == wanted[name], name


@pytest.mark.parametrize("seed", SEEDS)
def test_a_finer_tick_scales_prices_and_leaves_ratios_alone(seed: int) -> None:
    market = Market.seeded(seed)
    finer = Market(*(8 * column for column in market.columns), market.volume)
    table = _core.feature_names()
    for name, parameters in drawn_parameters(np.random.default_rng(seed)).items():
        coarse = _core.feature_column(name, parameters, *market.columns, market.volume)
        fine = _core.feature_column(name, parameters, *finer.columns, finer.volume)
        factor = 8 if table[name][1] == "price" else 1
        # A power of two changes no digit of a float, so this holds to the last bit.
        np.testing.assert_array_equal(fine, factor * coarse, err_msg=name)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_value_changes_when_the_future_does(seed: int) -> None:
    market = Market.seeded(seed)
    cut = 150
    short = Market(*(column[:cut].copy() for column in market.columns), market.volume[:cut].copy())
    for name, parameters in drawn_parameters(np.random.default_rng(seed)).items():
        whole = _core.feature_column(name, parameters, *market.columns, market.volume)
        past = _core.feature_column(name, parameters, *short.columns, short.volume)
        np.testing.assert_array_equal(whole[:cut], past, err_msg=name)


def test_a_rising_market_has_full_strength_and_a_falling_one_none() -> None:
    still = np.zeros((2, 50), dtype=np.int64)
    rising = Market.of(1000, np.full(50, 3), *still, still[0])
    falling = Market.of(1000, np.full(50, -3), *still, still[0])
    assert _core.feature_column("rsi", [14], *rising.columns)[-1] == 100
    assert _core.feature_column("rsi", [14], *falling.columns)[-1] == 0
