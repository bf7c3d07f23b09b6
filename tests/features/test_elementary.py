"""The logarithm and the exponential that are the same on every machine."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from neural_trader.baseline.elementary import exponential, logarithm


@given(st.floats(1e-300, 1e300))
def test_the_logarithm_is_right_to_the_last_bits(x: float) -> None:
    assert math.isclose(logarithm(x), math.log(x), rel_tol=7e-16, abs_tol=1e-16)


@given(st.floats(0.9, 1.1))
def test_the_logarithm_of_a_small_return_is_right_to_the_last_bits(x: float) -> None:
    assert math.isclose(logarithm(x), math.log(x), rel_tol=7e-16)


@given(st.floats(-600, 600))
def test_the_exponential_is_right_to_its_condition(x: float) -> None:
    # A reduction by n ln 2 costs as many units as the number is large.
    assert math.isclose(exponential(x), math.exp(x), rel_tol=4e-16 * max(abs(x), 2.0))
