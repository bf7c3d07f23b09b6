"""Features of quotes and trades against their formulas in numpy, by hand, and on markets made to have the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import neural_trader as nt
from random_markets import Market

SEEDS = range(10)


def windows(values: Any, n: int) -> Any:
    return np.lib.stride_tricks.sliding_window_view(values, n)


def quotes(seed: int) -> list[Any]:
    columns = Market.seeded(seed).with_quotes(np.random.default_rng(seed)).columns
    return [columns[name] for name in ("bid", "ask", "bid_size", "ask_size")]


def test_the_microprice_leans_to_the_side_that_is_about_to_go() -> None:
    made = nt.features.microprice([100.0, 100.0, 100.0, 100.0], [102.0] * 4, [1, 3, 0, 0], [1, 1, 5, 0])
    np.testing.assert_array_equal(made, [101.0, 101.5, 100.0, np.nan])
    np.testing.assert_array_equal(nt.features.imbalance([3.0, 0.0, 0.0], [1.0, 2.0, 0.0]), [0.5, -1.0, np.nan])


@pytest.mark.parametrize("seed", SEEDS)
def test_order_flow_imbalance_is_the_sum_of_its_flows(seed: int) -> None:
    bid, ask, bid_size, ask_size = quotes(seed)
    flows = (
        (bid[1:] >= bid[:-1]) * bid_size[1:]
        - (bid[1:] <= bid[:-1]) * bid_size[:-1]
        - (ask[1:] <= ask[:-1]) * ask_size[1:]
        + (ask[1:] >= ask[:-1]) * ask_size[:-1]
    )
    made = nt.features.order_flow_imbalance(bid, ask, bid_size, ask_size, 9)
    np.testing.assert_array_equal(made[9:], windows(flows, 9).sum(axis=1))


@pytest.mark.parametrize("seed", SEEDS)
def test_trade_imbalance_is_net_over_gross(seed: int) -> None:
    draw = np.random.default_rng(seed)
    quantity, side = draw.integers(1, 50, 200).astype(float), draw.choice([-1.0, 1.0], 200)
    wanted = windows(quantity * side, 7).sum(axis=1) / windows(quantity, 7).sum(axis=1)
    np.testing.assert_array_equal(nt.features.trade_imbalance(quantity, side, 7)[6:], wanted)


def test_vpin_cuts_trades_at_the_borders_of_buckets() -> None:
    # Buckets of 10: bought 6 and 4 of 9; sold 5 of 9 and 5; sold 15 is the rest of that bucket and one whole one.
    quantity = [6.0, 9.0, 0.0, 20.0, 5.0]
    side = [1.0, 1.0, 1.0, -1.0, -1.0]
    # After the second trade: |10| / 10, and 5 bought wait. The fourth sells 5 (net 0), then 10 (net -10), 5 wait.
    np.testing.assert_array_equal(nt.features.vpin(quantity, side, 10, 1), [np.nan, 1.0, 1.0, 1.0, 1.0])
    np.testing.assert_array_equal(nt.features.vpin(quantity, side, 10, 2), [np.nan, np.nan, np.nan, 0.5, 1.0])
    # A trade of a million buckets costs no more than a window of them.
    assert nt.features.vpin([1e7], [1.0], 10, 3)[-1] == 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_vpin_of_small_trades_is_that_of_their_buckets(seed: int) -> None:
    draw = np.random.default_rng(seed)
    side = draw.choice([-1.0, 1.0], 1000)
    nets = np.abs(side.reshape(-1, 20).sum(axis=1)) / 20
    made = nt.features.vpin(np.ones(1000), side, 20, 5)[19::20]
    np.testing.assert_allclose(made[4:], windows(nets, 5).mean(axis=1), rtol=1e-14)


@pytest.mark.parametrize("impact", [0.25, -3.0, 0.0])
def test_kyle_lambda_finds_the_impact_that_a_market_was_made_with(impact: float) -> None:
    draw = np.random.default_rng(3)
    quantity, side = draw.integers(1, 50, 300).astype(float), draw.choice([-1.0, 1.0], 300)
    price = 1000.0 + np.cumsum(impact * quantity * side + 7.0)
    made = nt.features.kyle_lambda(price, quantity, side, 50)
    np.testing.assert_allclose(made[50:], impact, rtol=1e-12, atol=1e-13)


def test_roll_finds_the_spread_of_a_bouncing_price() -> None:
    draw = np.random.default_rng(5)
    price = 1000.0 + np.cumsum(draw.normal(0, 0.01, 100_000)) + draw.choice([-0.25, 0.25], 100_000)
    assert nt.features.roll_spread(price, 90_000)[-1] == pytest.approx(0.5, rel=0.02)
    changes = pd.Series(price[:500]).diff()
    wanted = 2 * np.sqrt(np.maximum(-changes.rolling(40).cov(changes.shift()), 0))
    np.testing.assert_allclose(nt.features.roll_spread(price[:500], 40)[41:], wanted[41:], rtol=1e-9, atol=1e-9)


def test_corwin_and_schultz_find_the_spread_of_a_day_of_many_trades() -> None:
    draw = np.random.default_rng(7)
    spread = 0.02
    middle = np.exp(np.cumsum(draw.normal(0, 0.01 / np.sqrt(400), (2000, 400)).ravel())).reshape(2000, 400)
    traded = middle * (1 + spread / 2 * draw.choice([-1, 1], (2000, 400)))
    made = nt.features.corwin_schultz(traded.max(axis=1), traded.min(axis=1), 1990)
    assert made[-1] == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_amihud_is_the_mean_of_returns_over_turnover(seed: int) -> None:
    columns = Market.seeded(seed).columns
    close, volume = columns["close"], columns["volume"] + 1
    wanted = windows(np.abs(close[1:] / close[:-1] - 1) / (close[1:] * volume[1:]), 6).mean(axis=1)
    np.testing.assert_allclose(nt.features.amihud(close, volume, 6)[6:], wanted, rtol=1e-12, atol=1e-30)
