"""Instruments beside each other: the plain definition, other packages, and the forms of tables."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

import neural_trader as nt
from neural_trader.baseline.across import ACROSS, across
from neural_trader.errors import UsageError

NAN = math.nan


def table(random: Random, times: int, instruments: int, *, holes: float = 0.2) -> Any:
    """Numbers of a few sizes, with ties and holes."""
    pick = [random.choice((random.gauss(0, 1), float(random.randint(-2, 2)), 1e9 + random.random())) for _ in range(12)]
    cells = [NAN if random.random() < holes else random.choice(pick) for _ in range(times * instruments)]
    return np.array(cells).reshape(times, instruments)


def numbers_of(random: Random, name: str) -> list[float]:
    if name == "winsorise_across":
        return [random.choice((0.0, 0.1, 0.25, 0.49))]
    return [random.choice((1, 2, 5))] if name in ("top_across", "bottom_across") else []


def test_they_are_the_plain_ones_to_the_last_bit() -> None:
    for seed in range(300):
        random = Random(seed)
        x, y = (table(random, 4, random.choice((1, 2, 3, 9)), holes=random.choice((0, 0.3, 1))) for _ in range(2))
        y = np.resize(y, x.shape)
        for name in ACROSS:
            read, numbers = ([x, y] if name == "neutralise_across" else [x]), numbers_of(random, name)
            found = getattr(nt.features, name)(*read, *numbers)
            rows = [across(name, numbers, *(each[at].tolist() for each in read)) for at in range(4)]
            assert [list(map(str, row)) for row in found.astype(float).tolist()] == [
                list(map(str, row)) for row in rows
            ]


def test_they_are_those_of_other_packages() -> None:
    random = Random(1)
    x, y = table(random, 50, 8, holes=0), table(random, 50, 8, holes=0)
    features = nt.features
    assert features.zscore_across(x) == pytest.approx(stats.zscore(x, axis=1), rel=1e-9, nan_ok=True)
    assert features.rank_across(x) == pytest.approx((stats.rankdata(x, axis=1) - 1) / 7)
    low, high = np.quantile(x, [0.1, 0.9], axis=1, keepdims=True)
    assert features.winsorise_across(x, 0.1) == pytest.approx(np.clip(x, low, high))
    weights = features.scale_across(features.demean_across(x))
    assert np.abs(weights).sum(axis=1) == pytest.approx(1) and weights.sum(axis=1) == pytest.approx(0, abs=1e-9)
    for own, other, left in zip(x, y, features.neutralise_across(x, y), strict=True):
        ones = np.column_stack([np.ones(8), other - other[0]])
        line = ones @ np.linalg.lstsq(ones, own - own[0])[0]
        assert left == pytest.approx(own - own[0] - line, rel=1e-6, abs=1e-6 * np.abs(own).max())


def test_the_ends_of_a_universe_keep_apart_and_go_by_the_order_of_symbols() -> None:
    x = [[1.0, 2.0, 2.0, 2.0, 3.0, NAN]]
    assert nt.features.top_across(x, 2).tolist() == [[False, True, False, False, True, False]]
    assert nt.features.bottom_across(x, 2).tolist() == [[True, False, False, True, False, False]]
    assert nt.features.top_across(x, 9).tolist() == [[True] * 5 + [False]]


def test_what_is_constant_has_no_deviation_and_explains_nothing() -> None:
    x, same = [[0.1, 0.1, 0.1]], [[5.0, 5.0, 5.0]]
    assert str(nt.features.zscore_across(x).tolist()) == "[[nan, nan, nan]]"
    assert nt.features.neutralise_across([[1.0, 2.0, 6.0]], same).tolist() == [[-2.0, -1.0, 3.0]]
    assert str(nt.features.scale_across([[0.0, 0.0]]).tolist()) == "[[nan, nan]]"
    assert nt.features.neutralise_across([[4.0]], [[1.0]]).tolist() == [[0.0]]


@pytest.mark.parametrize("name", sorted(ACROSS))
def test_wide_and_long_tables_say_the_same(name: str) -> None:
    random = Random(2)
    x, y, numbers = table(random, 20, 5), table(random, 20, 5), numbers_of(random, name)
    feature, two = getattr(nt.features, name), name == "neutralise_across"
    wide = feature(*([x, y] if two else [x]), *numbers)
    times = [time for time in range(20) for _ in range(5)]
    frame = pl.DataFrame({"time": times, "x": x.ravel(), "y": y.ravel()})
    # Rows of one time need not stand together.
    mixed = frame.with_row_index().sort(pl.col("index") % 5, pl.col("index"))
    read = [pl.col("x"), pl.col("y")] if two else [pl.col("x")]
    made = mixed.select(
        "index",
        made=feature(*read, *numbers, by="time"),
        over=feature(*read, *numbers).over("time"),
        called=getattr(pl.col("x").nt, name)(*read[1:], *numbers, by=pl.col("time")),
    ).sort("index")
    expected = pl.Series(wide.ravel(), nan_to_null=True).to_list()
    for column in ("made", "over", "called"):
        assert made[column].to_list() == expected
    of_arrays = feature(*(frame[each.meta.output_name()].to_numpy() for each in read), *numbers, by=frame["time"])
    assert pl.Series(of_arrays, nan_to_null=True).to_list() == expected


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: nt.features.winsorise_across([1.0, 2.0], 0.5), "from 0 to below 0.5"),
        (lambda: nt.features.top_across([1.0, 2.0], 0), "whole number from 1"),
        (lambda: nt.features.rank_across([1.0, 2.0], by=[1, 1, 2]), "by has 3 rows"),
        (lambda: nt.features.neutralise_across([1.0, 2.0], [1.0]), "one shape"),
        (lambda: nt.features.rank_across([[1.0, 2.0]], by=[1]), "leave out by"),
        (lambda: nt.features.neutralise_across(pl.col("x"), pl.Series([1.0])), "expressions"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        call()
