"""nt-features and its plain Python twins agree to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader.baseline import features as baseline
from neural_trader.features.calls import evaluated
from neural_trader.features.table import table
from random_markets import Column, Market, drawn_parameters


def assert_bit_equal(name: str, parameters: tuple[float, ...], inputs: list[Column]) -> None:
    kind = table()[name]
    nothing = (float("nan"),) * len(kind.outputs)
    rows = baseline.columns(name, parameters, *(column.tolist() for column in inputs))
    slow = np.array([nothing if row is None else row for row in rows]).T
    for (output, _), ours, theirs in zip(kind.outputs, evaluated(kind, inputs, parameters), slow, strict=True):
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        if not same.all():
            at = int(np.argmin(same))
            pytest.fail(f"{name}{parameters}.{output} at row {at}: {ours[at]!r} in Rust, {theirs[at]!r} in Python")


@pytest.mark.parametrize("name", table())
def test_feature_is_its_twin_to_the_last_bit(name: str) -> None:
    for seed in range(30):
        draw = np.random.default_rng(seed)
        market = Market.seeded(seed, size=150, whole=seed % 2 == 0).with_quotes(draw)
        parameters = drawn_parameters(table()[name], draw)
        inputs = market.inputs(table()[name])
        assert_bit_equal(name, parameters, inputs)
        # Holes of every sort.
        at = draw.integers(0, 150, 2)
        inputs = [column.copy() for column in inputs]
        inputs[seed % len(inputs)][at] = draw.choice([np.nan, np.inf, -np.inf, 1e61], 2)
        assert_bit_equal(name, parameters, inputs)


numbers = st.one_of(st.floats(width=32), st.integers(-3, 3).map(float), st.sampled_from([1e59, -1e59, 1e-300, 0.0]))


@given(seed=st.integers(0, 2**32), data=st.data())
@settings(max_examples=20, deadline=None)
@pytest.mark.parametrize("name", table())
def test_feature_is_its_twin_on_any_numbers(name: str, seed: int, data: st.DataObject) -> None:
    kind = table()[name]
    size = data.draw(st.integers(1, 60))
    column = st.lists(numbers, min_size=size, max_size=size)
    inputs = [np.array(data.draw(column), dtype=float) for _ in kind.inputs]
    assert_bit_equal(name, drawn_parameters(kind, np.random.default_rng(seed)), inputs)


def test_every_feature_has_a_twin() -> None:
    assert set(baseline.TWINS) == set(table())
