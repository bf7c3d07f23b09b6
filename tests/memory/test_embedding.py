"""Likeness is kept: what is near in features is near as a point."""

from __future__ import annotations

import hashlib
import random

import numpy as np
import pytest

from neural_trader.errors import DataError
from neural_trader.memory.embedding import LIMIT, embedding_of, fit


def situations(count, names, seed=1):
    """Situations that follow a few hidden factors, as market features do, some of them with heavy tails."""
    generator = random.Random(seed)
    weights = [[generator.gauss(0, 1) for _ in range(4)] for _ in names]
    rows = []
    for _ in range(count):
        factors = [generator.gauss(0, 1) for _ in range(4)]
        noise = [generator.gauss(0, 0.3) for _ in names]
        row = [
            sum(w * f for w, f in zip(each, factors, strict=True)) + n for each, n in zip(weights, noise, strict=True)
        ]
        rows.append(
            {name: value**3 if at % 5 == 0 else value for at, (name, value) in enumerate(zip(names, row, strict=True))}
        )
    return rows


def rank_correlation(embed, scaled, rows, pairs=4000):
    generator = random.Random(5)
    chosen = [generator.sample(range(len(rows)), 2) for _ in range(pairs)]
    points = embed(rows)
    near = [np.linalg.norm(points[a] - points[b]) for a, b in chosen]
    true = [np.linalg.norm(scaled[a] - scaled[b]) for a, b in chosen]
    ranks = [np.argsort(np.argsort(each)) for each in (near, true)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def scaled_features(embedding, rows):
    columns = []
    for name, centre, spread in zip(embedding.names, embedding.centre, embedding.spread, strict=True):
        column = (np.array([row[name] for row in rows]) - centre) / spread
        columns.append(np.clip(column, -LIMIT, LIMIT))
    return np.array(columns).T


@pytest.mark.parametrize(("features", "least"), [(8, 0.9999), (32, 0.9999), (64, 0.85), (128, 0.85)])
def test_the_rank_correlation_of_distances_is_above_what_is_promised(features, least):
    rows = situations(600, [f"f{at}" for at in range(features)])
    embedding = fit(rows)
    scaled = scaled_features(embedding, rows)
    assert rank_correlation(embedding.embed, scaled, rows) >= least

    def hashed(rows):
        digests = [hashlib.sha256(repr(sorted(row.items())).encode()).digest() for row in rows]
        return np.array([list(digest) for digest in digests], dtype=np.float32)

    assert rank_correlation(hashed, scaled, rows) < 0.2, "a hash of bytes must fail this test"


@pytest.mark.parametrize("features", [8, 64])
def test_small_changes_keep_the_neighbours(features):
    names = [f"f{at}" for at in range(features)]
    rows = situations(1000, names)
    embedding = fit(rows)
    points = embedding.embed(rows)
    generator = random.Random(9)
    kept = 0
    for row in rows[:100]:
        moved = {
            name: value + 0.02 * spread * generator.gauss(0, 1)
            for (name, value), spread in zip(sorted(row.items()), embedding.spread, strict=True)
        }
        before, after = embedding.embed([row, moved])
        nearest = [set(np.argsort(((points - each) ** 2).sum(axis=1))[:10]) for each in (before, after)]
        kept += len(nearest[0] & nearest[1])
    assert kept / 1000 >= 0.9


def test_one_wild_number_does_not_drown_the_others():
    rows = situations(500, ["a", "b", "c"])
    wild = [*rows, {"a": 1e12, "b": 0.0, "c": 0.0}]
    calm, shaken = fit(rows), fit(wild)
    assert shaken.spread == pytest.approx(calm.spread, rel=0.05)
    assert abs(shaken.embed(wild)[-1]).max() <= LIMIT


def test_a_feature_that_is_missing_or_constant_stands_at_its_centre():
    embedding = fit([{"a": 1.0, "b": 5.0}, {"a": 2.0, "b": 5.0}, {"a": 3.0, "b": 5.0}])
    points = embedding.embed([{"a": 2.0}, {"a": 2.0, "b": 9.0}, {"b": 5.0, "a": 2.0, "unheard": 1.0}])
    assert not points.any()


def test_the_embedding_is_made_again_from_its_document():
    rows = situations(50, [f"f{at}" for at in range(40)])
    embedding = fit(rows, dimensions=16, seed=3)
    again = embedding_of(embedding.document())
    assert again == embedding and again.name == embedding.name
    assert (again.embed(rows) == embedding.embed(rows)).all()
    assert fit(rows, dimensions=16, seed=4).name != embedding.name


def test_nothing_teaches_nothing():
    with pytest.raises(DataError, match="no cards"):
        fit([])
    with pytest.raises(DataError, match="'a' is not a number"):
        fit([{"a": float("nan")}])
