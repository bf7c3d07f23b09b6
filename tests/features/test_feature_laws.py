"""Laws that every feature keeps, whatever the market."""

from __future__ import annotations

import numpy as np
import pytest

from neural_trader._native import feature_warmup
from neural_trader.features.table import Kind, table
from random_markets import Market, drawn_parameters

SEEDS = range(12)
NONE_OF_CONSTANTS = {"autocorrelation", "hurst", "kurtosis", "left_profile", "regression", "skew", "zscore"}
"""What a window of equal values does not have."""
OF_SOME_TIMES = {"seasonality", "session"}
"""What has no value in minutes that were never seen before, or between sessions."""
OF_BARS = [kind for kind in table().values() if kind.of_bars]


@pytest.fixture(params=OF_BARS, ids=lambda kind: kind.name, name="kind")
def _kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


def test_nan_comes_first_and_as_long_as_the_warm_up(kind: Kind) -> None:
    for seed in SEEDS:
        market = Market.seeded(seed)
        parameters = drawn_parameters(kind, np.random.default_rng(seed))
        warmup = feature_warmup(kind.name, parameters)
        for values in market.outputs(kind.name, *parameters):
            assert np.isnan(values[:warmup]).all(), parameters
            is_partial = kind.name in NONE_OF_CONSTANTS | OF_SOME_TIMES
            assert is_partial or not np.isnan(values[warmup:]).any(), parameters


def test_a_finer_tick_and_lot_scale_outputs_by_their_units(kind: Kind) -> None:
    for seed in SEEDS:
        market = Market.seeded(seed)
        finer = market.scaled(8.0, 4.0)
        parameters = drawn_parameters(kind, np.random.default_rng(seed))
        outputs = zip(
            kind.outputs, market.outputs(kind.name, *parameters), finer.outputs(kind.name, *parameters), strict=True
        )
        for (output, unit), coarse, fine in outputs:
            # A power of two changes no digit of a float, so this holds to the last bit.
            np.testing.assert_array_equal(fine, coarse * factor(str(unit)), err_msg=f"{kind.name}.{output}")


def factor(unit: str) -> float:
    """What a unit grows by where prices grow eightfold and volumes fourfold."""
    powers = (each.split("^") for each in unit.split() if each != "ratio")
    return float(
        np.prod([{"price": 8.0, "volume": 4.0}[base] ** int(power[0] if power else 1) for base, *power in powers])
    )


def test_no_value_changes_when_the_future_does(kind: Kind) -> None:
    for seed in SEEDS:
        market = Market.seeded(seed)
        parameters = drawn_parameters(kind, np.random.default_rng(seed))
        short = market.changed(lambda column: column[:150].copy())
        outputs = zip(market.outputs(kind.name, *parameters), short.outputs(kind.name, *parameters), strict=True)
        for whole, past in outputs:
            np.testing.assert_array_equal(whole[:150], past)


@pytest.mark.parametrize("seed", SEEDS)
def test_values_stay_in_their_bounds(seed: int) -> None:
    market = Market.seeded(seed)
    n = 2 + seed
    highest, lowest = market.feature("highest", n)[n:], market.feature("lowest", n)[n:]
    for name in ("sma", "wma", "vwma"):
        values = market.feature(name, n)[n:]
        assert ((values <= highest) & (values >= lowest)).all(), name
    rsi = market.feature("rsi", n)[n:]
    assert ((rsi >= 0) & (rsi <= 100)).all()
    for name in ("deviation", "volatility", "atr"):
        assert (market.feature(name, n)[n:] >= 0).all(), name
    assert (market.feature("momentum", n, 0)[n:] > -1).all()
    # No spread is wider than half the range of the window.
    assert (market.feature("deviation", n)[n:] <= (highest - lowest) / 2 * (1 + 1e-12)).all()


STILL = {
    "ewma_volatility": 0,
    "entropy": 0,
    "garch": 0.1,
    "garman_klass": 0,
    "parkinson": 0,
    "realised": 0,
    "roll_spread": 0,
    "amihud": 0,
    "corwin_schultz": 0,
    "variance": 0,
    "rogers_satchell": 0,
    "true_range": 0,
    "yang_zhang": 0,
    "adx": 0,
    "cci": 0,
    "log_return": 0,
    "roc": 0,
    "simple_return": 0,
    "atr": 0,
    "deviation": 0,
    "macd": 0,
    "momentum": 0,
    "rsi": 50,
    "volatility": 0,
}
"""What features of a market that never moves come to; an average is its level."""


@pytest.mark.parametrize("level", [1.0, 100.0, 123_456_789.0])
def test_a_constant_market_has_constant_features(level: int) -> None:
    market = Market.of(np.zeros(100), np.zeros((2, 100)), np.full(100, 7.0), level)
    levels = {kind.name: level for kind in table().values() if kind.family in {"moving averages", "channels"}}
    for name, wanted in (levels | {"vwap": level, "quantile": level} | STILL).items():
        # What is filtered settles at omega / (1 - alpha - beta).
        parameters = drawn_parameters(table()[name], np.random.default_rng(3)) if name != "garch" else (0.01, 0.1, 0.0)
        for values in market.outputs(name, *parameters):
            assert values[-1] == wanted, name


def test_a_rising_market_has_full_strength_and_a_falling_one_none() -> None:
    still = np.zeros((2, 50))
    assert Market.of(np.full(50, 3.0), still, still[0], 1000.0).feature("rsi", 14)[-1] == 100
    assert Market.of(np.full(50, -3.0), still, still[0], 1000.0).feature("rsi", 14)[-1] == 0
