"""Markets of known models: their moments, their bars, and what makes no market."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from neural_trader.errors import DataError
from neural_trader.market.consistency import refuse_inconsistent
from neural_trader.market.loading import load_bars
from neural_trader.market.models import (
    REGIMES,
    GeometricBrownianMotion,
    Heston,
    JumpDiffusion,
    Model,
    Pair,
    RegimeSwitching,
    model_bars,
    path_of,
    regime_bars,
)
from neural_trader.market.writing import write_bars

DRIFTING = [GeometricBrownianMotion(), JumpDiffusion(), Heston(), Pair()]
MODELS: list[Model] = [*DRIFTING, RegimeSwitching()]
DAY = 1 / 365
SIGMAS = 5
"""Standard errors that a moment may be off: the seeds are fixed, so that this is decided once."""


@pytest.mark.parametrize("model", DRIFTING)
def test_the_expected_price_grows_by_the_drift(
    model: GeometricBrownianMotion | JumpDiffusion | Heston | Pair,
) -> None:
    ends = np.array([path_of(model, 30, DAY, seed=seed)[0][-1] for seed in range(4000)])
    error = ends.std() / np.sqrt(len(ends))
    assert abs(ends.mean() - 100 * np.exp(model.drift * 30 * DAY)) < SIGMAS * error


def test_brownian_returns_are_normal() -> None:
    prices, beside = path_of(GeometricBrownianMotion(0.1, 0.5), 200_000, DAY)
    assert not len(beside)
    returns = np.diff(np.log(prices))
    scaled = (returns - returns.mean()) / returns.std()
    assert abs((scaled**3).mean()) < SIGMAS * np.sqrt(6 / len(returns))
    assert abs((scaled**4).mean() - 3) < SIGMAS * np.sqrt(24 / len(returns))


def test_jumps_and_stochastic_variance_have_fat_tails() -> None:
    for model in (JumpDiffusion(), Heston()):
        returns = np.diff(np.log(path_of(model, 200_000, DAY)[0]))
        scaled = (returns - returns.mean()) / returns.std()
        assert (scaled**4).mean() > 3.5


def test_returns_of_each_regime_have_its_mean_and_variance_and_it_lasts_its_days() -> None:
    model = RegimeSwitching()
    hour = 1 / 365 / 24
    prices, regimes = path_of(model, 400_000, hour, seed=5)
    returns = np.diff(np.log(prices))
    for number, name in enumerate(REGIMES):
        drift, volatility = getattr(model, f"{name}_drift"), getattr(model, f"{name}_volatility")
        own = returns[regimes[1:] == number]
        variance = volatility**2 * hour
        assert abs(own.mean() - (drift - volatility**2 / 2) * hour) < SIGMAS * np.sqrt(variance / len(own))
        assert abs(own.var() - variance) < SIGMAS * variance * np.sqrt(2 / len(own))
        # A visit ends with each step with one probability: their lengths are geometric.
        ended = np.flatnonzero(np.diff(regimes, append=-1))
        lengths = np.diff(ended, prepend=-1)[regimes[ended] == number]
        mean = 1 / -np.expm1(-1 / (getattr(model, f"{name}_days") * 24))
        assert abs(lengths.mean() - mean) < SIGMAS * mean / np.sqrt(len(lengths))


def test_the_true_regimes_are_given_out_beside_the_bars(tmp_path: Path) -> None:
    model = RegimeSwitching(stress_days=1.0, trend_days=2.0)
    bars, regimes = regime_bars(model, bars=2000, seed=3)
    assert bars.close.tolist() == model_bars(model, bars=2000, seed=3)[0].close.tolist()
    path = path_of(model, 24_000, 1 / 365 / 24 / 12, seed=3)[1]
    assert regimes.tolist() == path[11::12].tolist()
    assert set(regimes.tolist()) == {0, 1, 2}
    (written,) = write_bars(bars, tmp_path / "ALPHA.parquet", {"regime": [REGIMES[each] for each in regimes]})
    assert pl.read_parquet(written)["regime"].to_list() == [REGIMES[each] for each in regimes]
    assert load_bars(written)[0].close.tolist() == bars.close.tolist()
    with pytest.raises(DataError, match="with a value for each bar"):
        write_bars(bars, tmp_path / "other.parquet", {"regime": ["trend"]})


@pytest.mark.parametrize("model", MODELS)
def test_bars_of_a_model_are_bars_and_say_what_made_them(model: Model) -> None:
    made = model_bars(model, bars=500, seed=3)
    assert len(made) == 1 + isinstance(model, Pair)
    for bars in made:
        refuse_inconsistent(bars)
        assert bars.origin == "synthetic"
        assert bars.source.endswith("1, seed 3")
        assert bars.open[1:].tolist() == bars.close[:-1].tolist()
    longer = model_bars(model, bars=600, seed=3)
    assert longer[0].close[:500].tolist() == made[0].close.tolist()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (GeometricBrownianMotion(volatility=-1), "volatility -1 makes no market"),
        (GeometricBrownianMotion(drift=float("nan")), "drift nan makes no market"),
        (RegimeSwitching(stress_days=0), "stress_days 0 makes no market"),
        (RegimeSwitching(range_volatility=-0.1), "range_volatility -0.1 makes no market"),
        (Heston(correlation=1.5), r"correlation 1\.5 is not between"),
        (GeometricBrownianMotion(volatility=60.0), "leaves the range of prices"),
    ],
)
def test_what_makes_no_market_is_refused(model: Model, words: str) -> None:
    with pytest.raises(DataError, match=words):
        model_bars(model, bars=2000)
