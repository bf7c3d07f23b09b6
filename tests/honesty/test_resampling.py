"""Bootstrap, cross-validation, orders of trades, plateaus: by hand, and against slow forms of the same definition."""

from __future__ import annotations

import math
from itertools import combinations, permutations

import numpy as np
import pytest

from neural_trader.errors import UsageError
from neural_trader.honesty.bootstrap import block_length, interval, resamples, stationary_indices
from neural_trader.honesty.overfitting import overfitting
from neural_trader.honesty.stability import neighbourhood, standing
from neural_trader.honesty.superiority import _long_run_variance, reality_check, selected, superior_ability
from neural_trader.honesty.trade_order import shuffled_drawdowns


def test_blocks_follow_one_another_in_a_circle_and_have_the_mean_length_asked_for() -> None:
    rows = stationary_indices(200, 10.0, 300, np.random.default_rng(1))
    assert rows.min() == 0 and rows.max() == 199
    follows = (rows[:, 1:] - rows[:, :-1]) % 200 == 1
    # A new block begins with probability 1/10, and one in two hundred of those goes on by chance.
    assert follows.mean() == pytest.approx(1 - 0.1 * (1 - 1 / 200), abs=0.005)
    assert np.bincount(rows.ravel(), minlength=200).std() / rows.shape[0] < 0.15


def test_blocks_of_length_one_are_the_plain_bootstrap() -> None:
    rows = stationary_indices(50, 1.0, 2000, np.random.default_rng(2))
    follows = (rows[:, 1:] - rows[:, :-1]) % 50 == 1
    assert follows.mean() == pytest.approx(1 / 50, abs=0.003)


def test_resamples_depend_on_the_seed_alone() -> None:
    one = np.concatenate(list(resamples(700, 5.0, 40, np.random.default_rng(3))))
    other = np.concatenate(list(resamples(700, 5.0, 40, np.random.default_rng(3))))
    assert one.shape == (40, 700) and np.array_equal(one, other)


def test_series_with_memory_get_longer_blocks() -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(size=2000)
    slow = np.empty(2000)
    slow[0] = noise[0]
    for at in range(1, 2000):
        slow[at] = 0.8 * slow[at - 1] + noise[at]
    assert block_length(noise) < 6.0
    assert block_length(slow) > 15.0
    assert block_length(np.ones(100)) == 1.0 == block_length(np.arange(5.0))


def test_the_variance_of_a_mean_is_that_of_its_resamples() -> None:
    rng = np.random.default_rng(5)
    values = np.convolve(rng.normal(size=310), np.ones(4) / 4, "valid")[:300]
    rows = stationary_indices(300, 6.0, 20_000, rng)
    resampled = values[rows].mean(axis=1).var() * 300
    assert _long_run_variance(values[:, None], 6.0)[0] == pytest.approx(resampled, rel=0.04)


def test_an_interval_of_what_is_mostly_undefined_is_none() -> None:
    assert interval(np.array([1.0, np.nan, np.nan])) is None
    assert interval(np.arange(101.0), 0.9) == pytest.approx((5.0, 95.0))


def slow_overfitting(returns: np.ndarray, blocks: int) -> list[float]:
    """The same by its words: lists, no sums shared between choices."""
    length = len(returns) // blocks
    returns = returns[len(returns) - length * blocks :]
    logits = []
    for picked in combinations(range(blocks), blocks // 2):
        halves: tuple[list[int], list[int]] = ([], [])
        for block in range(blocks):
            halves[block not in picked].extend(range(block * length, (block + 1) * length))
        inside, outside = (
            [float(np.mean(each)) / float(np.std(each, ddof=1)) for each in returns[rows].T] for rows in halves
        )
        best = max(range(len(inside)), key=lambda at: inside[at])
        rank = sum(value < outside[best] for value in outside) + 1
        share = rank / (len(outside) + 1)
        logits.append(math.log(share / (1.0 - share)))
    return logits


def test_cross_validation_is_that_of_its_slow_form() -> None:
    returns = np.random.default_rng(6).normal(0.001, 0.01, (83, 7))
    found = overfitting(returns, 8)
    assert len(found.logits) == 70
    assert found.logits == pytest.approx(slow_overfitting(returns, 8))


def test_a_strategy_that_always_wins_is_not_overfitted() -> None:
    returns = np.random.default_rng(7).normal(0.0, 0.01, (200, 10))
    returns[:, 4] += 0.02
    found = overfitting(returns, 10)
    assert found.probability == 0.0 == found.loss_probability


def test_a_winner_of_one_stretch_only_is_overfitted() -> None:
    returns = np.zeros((160, 16))
    returns += np.random.default_rng(8).normal(0.0, 0.001, returns.shape)
    for at in range(16):
        # Each shines in one block and loses a little in all others: the best in sample must lose out of sample.
        returns[:, at] -= 0.002
        returns[at * 10 : (at + 1) * 10, at] += 0.02
    found = overfitting(returns, 16)
    assert found.probability > 0.9 and found.loss_probability > 0.9 and found.degradation < 0.0


def test_the_same_strategy_twice_is_neither_better_nor_worse_than_itself() -> None:
    column = np.random.default_rng(9).normal(0.0, 0.01, (40, 1))
    assert overfitting(np.hstack([column, column]), 4).logits == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("shape", "blocks", "words"),
    [((50, 1), 4, "two strategies"), ((50, 3), 5, "even number"), ((6, 3), 4, "too few"), ((50, 3), 22, "even")],
)
def test_what_cannot_be_cross_validated_is_refused(shape: tuple[int, int], blocks: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        overfitting(np.zeros(shape), blocks)


def test_shuffled_trades_fall_as_deep_as_their_orders() -> None:
    gains = np.array([10.0, -20.0, 15.0, -5.0])
    every = set()
    for order in permutations(gains):
        equity, peak, deepest = 100.0, 100.0, 0.0
        for gain in order:
            equity += gain
            peak = max(peak, equity)
            deepest = min(deepest, equity / peak - 1.0)
        every.add(round(deepest, 12))
    found = shuffled_drawdowns(gains, 100.0, shuffles=600, seed=1)
    assert {round(value, 12) for value in found.tolist()} == every
    assert np.array_equal(found, shuffled_drawdowns(gains, 100.0, shuffles=600, seed=1))


def test_an_account_that_is_ruined_on_the_way_has_lost_everything() -> None:
    found = shuffled_drawdowns(np.array([-120.0, 150.0]), 100.0, shuffles=200)
    # In the other order the loss comes after the gain: 250, then 130.
    assert sorted(set(found.tolist())) == pytest.approx([-1.0, 130.0 / 250.0 - 1.0])
    assert not shuffled_drawdowns(np.empty(0), 100.0, shuffles=3).any()


def test_a_plateau_keeps_its_value_and_a_needle_does_not() -> None:
    plateau = np.full((5, 5), 1.0)
    plateau[2, 2] = 1.1
    found = neighbourhood(plateau)
    assert (found.value, found.neighbours, found.median) == (1.1, 8, 1.0)
    assert found.kept == pytest.approx(1 / 1.1)
    needle = np.full(9, -0.2)
    needle[4], needle[5] = 2.0, np.nan
    alone = neighbourhood(needle)
    assert (alone.neighbours, alone.median, alone.kept) == (1, -0.2, pytest.approx(-0.1))
    assert neighbourhood(needle, (0,)).neighbours == 1
    with pytest.raises(UsageError, match="no point"):
        neighbourhood(np.full((2, 2), np.nan))


def test_one_that_was_selected_is_tested_by_the_statistics_of_all() -> None:
    rng = np.random.default_rng(12)
    excess = rng.normal(0.0, 0.01, (300, 9)) * np.linspace(0.5, 3.0, 9)
    excess[:, 4] += 0.006
    excess[:, 7] = 0.0
    job = {"block": 4.0, "resamples_count": 999, "seed": 3}
    spa, (check, best) = superior_ability(excess, **job), reality_check(excess, **job)
    found = selected(excess, spa.best, **job)
    assert found is not None and spa.best == 4
    # What was observed counts as one more resample here.
    for ours, plain in zip((found.lower, found.consistent, found.upper), spa[:3], strict=True):
        assert ours == pytest.approx((1 + 999 * plain) / 1000)
    assert found.reality_check == pytest.approx((1 + 999 * check) / 1000)
    assert found.value == found.consistent, "of the one with the largest statistic it is Hansen's"
    assert len(found.by_luck) == 999 and (np.diff(found.by_luck) >= 0.0).all()
    assert best == 4
    other = selected(excess, 8, **job)
    assert other is not None and other.value > found.value and other.statistic < found.statistic
    assert selected(excess, 7, **job) is None


def test_how_much_of_a_lead_neighbours_keep_is_free_of_zero_and_unit() -> None:
    places = np.array([[a, b] for a in range(9) for b in range(9)])
    values = np.array([10.0 - abs(a - 4) - abs(b - 4) for a, b in places.tolist()])
    found = standing(places, values, 40)
    assert (found.neighbours, found.median, found.worst, found.shape) == (8, 8.5, 8.0, "plateau")
    # The median point is four steps away.
    assert found.kept == (8.5 - 6.0) / (10.0 - 6.0)
    assert standing(places, 3.0 * values - 100.0, 40).kept == pytest.approx(found.kept)
    mirrored = standing(places, -values, 40, higher_is_better=False)
    assert mirrored.kept == pytest.approx(found.kept) and mirrored.worst == -8.0
    needle = np.zeros(81)
    needle[0], needle[10] = 5.0, np.nan
    alone = standing(places, needle, 0)
    assert (alone.neighbours, alone.kept, alone.shape) == (2, 0.0, "needle")
    assert standing(places[:1], needle[:1], 0).shape is None
