"""Markets of known models: their moments, their bars, and what makes no market."""

from __future__ import annotations

import numpy as np
import pytest

from neural_trader.errors import DataError
from neural_trader.market.consistency import refuse_inconsistent
from neural_trader.market.models import (
    GeometricBrownianMotion,
    Heston,
    JumpDiffusion,
    Model,
    Pair,
    model_bars,
    path_of,
)

MODELS: list[Model] = [GeometricBrownianMotion(), JumpDiffusion(), Heston(), Pair()]
DAY = 1 / 365
SIGMAS = 5
"""Standard errors that a moment may be off: the seeds are fixed, so that this is decided once."""


@pytest.mark.parametrize("model", MODELS)
def test_the_expected_price_grows_by_the_drift(model: Model) -> None:
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
        (Heston(correlation=1.5), r"correlation 1\.5 is not between"),
        (GeometricBrownianMotion(volatility=60.0), "leaves the range of prices"),
    ],
)
def test_what_makes_no_market_is_refused(model: Model, words: str) -> None:
    with pytest.raises(DataError, match=words):
        model_bars(model, bars=2000)
