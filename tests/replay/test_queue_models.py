"""The queue models alone: their shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.baseline.replay.queues import UNKNOWN, front_model
from neural_trader.errors import EngineError

MODELS = ("risk_averse", "power", "power_2", "power_3", "log", "log_2")
quantities = st.integers(0, 2**40)


@given(
    st.sampled_from(MODELS),
    st.integers(1, 16),
    quantities,
    quantities,
    st.floats(0, 1),
    st.integers(-(2**40), 2**40),
)
def test_a_front_stays_between_nothing_and_the_level_and_never_grows(
    name: str, n: int, before: int, now: int, share: float, untraded: int
) -> None:
    front = share * before
    after = front_model(name, n)(front, before, now, untraded)
    assert 0.0 <= after <= now
    # Rounding may move a front by its last bit, nothing moves it back.
    assert after <= front + 1e-9 * before


@pytest.mark.parametrize("name", MODELS)
def test_an_unknown_front_becomes_the_level(name: str) -> None:
    assert front_model(name, 2)(UNKNOWN, 5, 7, 1) == 7.0


def test_models_have_names_and_whole_powers() -> None:
    with pytest.raises(EngineError, match="queue model 'fifo'"):
        front_model("fifo", 2)
    for n in (0, 17):
        with pytest.raises(EngineError, match="from 1 to 16"):
            front_model("power", n)
