"""The fast search for a grid agrees with its plain definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_trader import _core
from neural_trader.baseline.grid import counts_of_floats, counts_of_text

MANTISSAS = st.integers(-(10**12), 10**12)
CELLS = st.one_of(
    st.builds(lambda m, d: f"{m / 10**d:.{d}f}", MANTISSAS, st.integers(0, 10)),
    st.builds(lambda m, e: f"{m}e{e}", st.integers(-999, 999), st.integers(-10, 12)),
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(["", " 1.50 ", "+3", ".5", "5.", "nan", "-inf", "1e400", "0.000", "-0", "1.2.3", "1e-9", "1e-10"]),
)
FLOATS = st.one_of(
    st.builds(lambda m, d: m / 10**d, MANTISSAS, st.integers(0, 10)),
    st.floats(-1e6, 1e6),
    st.floats(0, 1e300),
    st.sampled_from([0.1 + 0.2, 2.0**51, 2.0**51 + 1, 1e-9, 5e-10, -0.0]),
)


@given(cells=st.lists(CELLS, min_size=1, max_size=12), decimals_max=st.integers(0, 9))
@settings(max_examples=500, deadline=None)
def test_text_is_parsed_as_its_definition_says(cells: list[str], decimals_max: int) -> None:
    expected = counts_of_text(cells, decimals_max)
    try:
        counts, decimals = _core.decimals_from_text("\n".join(cells).encode(), len(cells), decimals_max)
    except ValueError:
        assert expected is None
    else:
        assert (counts.tolist(), decimals) == expected


@given(
    columns=st.integers(1, 8).flatmap(
        lambda n: st.lists(st.lists(FLOATS, min_size=n, max_size=n), min_size=1, max_size=4)
    ),
    decimals_max=st.integers(0, 9),
    cut=st.integers(0, 8),
)
@settings(max_examples=500, deadline=None)
def test_floats_find_the_grid_of_their_definition(columns: list[list[float]], decimals_max: int, cut: int) -> None:
    expected = counts_of_floats(columns, decimals_max)
    pieces = [[np.array(column[:cut]), np.array(column[cut:])] for column in columns]
    try:
        counts, decimals, fit, _ = _core.prices_on_grid(pieces, decimals_max)
    except ValueError:
        assert expected is None
        return
    if expected is None:
        assert fit != "exact"
    else:
        assert ([column.tolist() for column in counts], decimals, fit) == (*expected, "exact")


@pytest.mark.parametrize("decimals", range(10))
def test_long_random_columns_come_back_as_the_counts_they_were_made_of(decimals: int) -> None:
    random = np.random.default_rng(decimals)
    counts = random.integers(1, 10**12, size=(4, 100_000))
    counts[:, -1] = counts[:, -1] // 10 * 10 + 1
    columns = [[column / 10**decimals] for column in counts]
    found, places, fit, _ = _core.prices_on_grid(columns, 9)
    assert (places, fit) == (decimals, "exact")
    assert all(np.array_equal(one, other) for one, other in zip(found, counts, strict=True))
