"""The matrix profile: its twin, its definition in numpy, motifs and discords, and the stream of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader._native import matrix_profile
from neural_trader.baseline.features import profile as plain
from neural_trader.errors import UsageError
from random_markets import Market


def distances(series: Any, n: int) -> Any:
    """Every pair of windows, by the definition."""
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(series, float), n)
    with np.errstate(invalid="ignore", divide="ignore"):
        shapes = (windows - windows.mean(axis=1, keepdims=True)) / windows.std(axis=1, keepdims=True)
    shapes[np.ptp(windows, axis=1) == 0] = np.nan
    return np.sqrt(((shapes[:, None] - shapes[None]) ** 2).sum(axis=2))


@pytest.mark.parametrize("seed", range(20))
def test_the_profile_is_that_of_its_twin_to_the_last_bit(seed: int) -> None:
    draw = np.random.default_rng(seed)
    series = Market.seeded(seed, 110, whole=seed % 2 == 0).columns["close"].copy()
    series[draw.integers(0, 110, seed % 4)] = draw.choice([np.nan, np.inf, 1e61])
    n, exclusion = int(draw.integers(3, 20)), int(draw.integers(0, 12))
    for ours, twins in zip(
        matrix_profile(series, n, exclusion), plain.matrix_profile(series, n, exclusion), strict=True
    ):
        distance, neighbour = zip(*twins, strict=True)
        np.testing.assert_array_equal(ours[0], distance)
        np.testing.assert_array_equal(ours[1], neighbour)


@pytest.mark.parametrize("seed", range(10))
def test_the_profile_is_the_least_of_all_distances(seed: int) -> None:
    close = Market.seeded(seed, 400).columns["close"]
    n = 5 + 3 * seed
    made = nt.features.matrix_profile(close, n)
    every = distances(close, n)
    rows = np.arange(len(every))
    every[np.abs(rows[:, None] - rows[None]) <= math.ceil(n / 4)] = np.nan
    known = ~np.isnan(every).all(axis=1)
    np.testing.assert_array_equal(~np.isnan(made.distance[n - 1 :]), known)
    np.testing.assert_allclose(made.distance[n - 1 :][known], np.nanmin(every[known], axis=1), rtol=1e-9, atol=1e-9)
    # The neighbour that is named is at that distance.
    other = made.neighbour[n - 1 :][known] - (n - 1)
    np.testing.assert_allclose(made.distance[n - 1 :][known], every[rows[known], other], rtol=1e-9, atol=1e-9)
    assert np.isnan(made.distance[: n - 1]).all() and (made.neighbour[: n - 1] == -1).all()
    past = np.where(rows[:, None] > rows[None], every, np.nan)
    known = ~np.isnan(past).all(axis=1)
    np.testing.assert_allclose(made.left_distance[n - 1 :][known], np.nanmin(past[known], axis=1), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_stream_is_the_left_profile_of_a_series(seed: int) -> None:
    close = Market.seeded(seed, 300).columns["close"]
    n, lookback = 4 + seed, 60 + seed
    distance, ago = nt.features.left_profile(close, n, lookback)
    whole = nt.features.matrix_profile(close, n)
    # Where the neighbour of the whole past is within the look-back, the two are one.
    rows = np.arange(300)
    within = (whole.left_neighbour >= 0) & (rows - whole.left_neighbour <= lookback) & ~np.isnan(distance)
    assert within.sum() > 20
    np.testing.assert_array_equal(distance[within], whole.left_distance[within])
    np.testing.assert_array_equal((rows - ago)[within], whole.left_neighbour[within])
    assert (distance[~np.isnan(distance)] >= whole.left_distance[~np.isnan(distance)] - 1e-9).all()


def test_a_motif_is_found_at_any_level_and_in_any_unit() -> None:
    draw = np.random.default_rng(4)
    series = np.cumsum(draw.normal(size=600))
    shape = np.round(np.cumsum(draw.normal(size=40)), 3)
    series[100:140] = shape + 1_000
    series[400:440] = -50.0 + 12.5 * shape
    best = nt.features.matrix_profile(series, 40).motifs(1)[0]
    assert {best.row, best.neighbour} == {139, 439} and best.distance == pytest.approx(0.0, abs=1e-9)


def test_a_discord_is_what_happens_once() -> None:
    turns = np.sin(np.arange(800) * 2 * np.pi / 50) + np.random.default_rng(2).normal(0, 0.02, 800)
    turns[410:425] += np.hanning(15) * 1.5
    made = nt.features.matrix_profile(turns, 50)
    first, second = made.discords(2)
    assert 410 <= first.row < 425 + 50 and first.distance > 1.4 * second.distance
    assert abs(first.row - second.row) >= 50
    pairs = made.motifs(4)
    ends = [end for pair in pairs for end in (pair.row, pair.neighbour)]
    assert all(abs(a - b) >= 50 for at, a in enumerate(ends) for b in ends[at + 2 - at % 2 :])
    assert [pair.distance for pair in pairs] == sorted(pair.distance for pair in pairs)


def test_a_level_far_from_zero_takes_no_digits() -> None:
    series = np.random.default_rng(1).integers(-50, 50, 200).cumsum().astype(float)
    near, far = (nt.features.matrix_profile(series + level, 12) for level in (0.0, 2.0**45))
    np.testing.assert_array_equal(near.distance, far.distance)
    np.testing.assert_array_equal(near.neighbour, far.neighbour)


def test_a_hole_spoils_the_windows_that_contain_it_and_no_others() -> None:
    series = np.random.default_rng(3).normal(size=120)
    series[60] = np.nan
    made = nt.features.matrix_profile(series, 8)
    assert np.isnan(made.distance[60:68]).all() and not np.isnan(made.distance[7:60]).any()
    assert not np.isnan(made.distance[68:]).any()
    # Windows on both sides are still compared with each other.
    assert (made.neighbour[68:] < 60).any()


def test_what_has_no_shape_has_no_neighbour() -> None:
    flat = nt.features.matrix_profile(np.ones(50), 8)
    assert np.isnan(flat.distance).all() and (flat.neighbour == -1).all() and flat.motifs() == [] == flat.discords()
    short = nt.features.matrix_profile(np.arange(5.0), 8)
    assert np.isnan(short.distance).all() and len(short.distance) == 5
    assert np.isnan(nt.features.matrix_profile(np.arange(50.0), 8, exclusion=10**9).distance).all()
    with pytest.raises(UsageError, match="n is at least 3"):
        nt.features.matrix_profile(np.arange(50.0), 2)
    with pytest.raises(UsageError, match=r"left_profile: n \(20\) must be below lookback \(10\)"):
        nt.features.left_profile(np.arange(50.0), 20, 10)
    with pytest.raises(UsageError, match="k is at least 1"):
        flat.motifs(0)
