"""What a strategy keeps, as a document: everything comes back as it was, and nothing is run by reading it."""

from __future__ import annotations

import json
import math
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.errors import DataError, StrategyError
from neural_trader.strategy.base import Fill
from neural_trader.strategy.state import decode_state, encode_state

OWN = {__name__, Fill.__module__}


@dataclass(frozen=True)
class Point:
    x: float
    tags: list[str] = field(default_factory=list)


def again(**state: Any) -> Any:
    return decode_state(encode_state(state, owner="Mine", modules=OWN), modules=OWN)


def refusal(**state: Any) -> str:
    with pytest.raises(StrategyError) as refused:
        encode_state(state, owner="Mine", modules=OWN)
    return str(refused.value)


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.decimals(
        allow_nan=False
    ) | st.dates() | st.timedeltas()
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers(), st.text()), inner)
        | st.lists(inner).map(deque)
        | st.builds(Point, inner)
    ),
    max_leaves=20,
)


@given(values)
def test_plain_data_comes_back_as_it_was(value: Any) -> None:
    read = again(value=value)["value"]
    assert (read, type(read), repr(read)) == (value, type(value), repr(value))


def test_what_else_strategies_keep_comes_back() -> None:
    fill = Fill(1, "A", 1, 2.0, 3.0, 0.1, True, 5)
    kept = again(
        nan=math.nan,
        zero=-0.0,
        ring=deque([1, 2], maxlen=2),
        counts=defaultdict(list, {"a": [1]}),
        when=datetime(2024, 1, 2, tzinfo=UTC),
        day=date(2024, 1, 2),
        gap=timedelta(seconds=1),
        price=Decimal("1.10"),
        scalar=np.float64(0.1),
        array=np.arange(6, dtype=np.int32).reshape(2, 3),
        fill=fill,
        buffer=bytearray(b"ab"),
    )
    assert math.isnan(kept["nan"]) and math.copysign(1, kept["zero"]) == -1
    assert kept["ring"].maxlen == 2 and kept["counts"]["b"] == [] and kept["counts"]["a"] == [1]
    assert type(kept["scalar"]) is np.float64 and kept["scalar"] == 0.1
    assert kept["array"].dtype == np.int32 and kept["array"].tolist() == [[0, 1, 2], [3, 4, 5]]
    kept["array"][0, 0] = 7
    assert (kept["fill"], type(kept["fill"]), kept["buffer"], str(kept["price"])) == (fill, Fill, b"ab", "1.10")
    assert (kept["when"], kept["day"], kept["gap"].seconds) == (datetime(2024, 1, 2, tzinfo=UTC), date(2024, 1, 2), 1)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_generators_of_random_numbers_go_on(bits: Any) -> None:
    ours, theirs = Random(3), np.random.Generator(bits(3))
    ours.gauss(), theirs.integers(0, 7, dtype=np.int32)
    kept = again(ours=ours, theirs=theirs)
    assert [kept["ours"].gauss() for _ in range(5)] == [ours.gauss() for _ in range(5)]
    assert kept["theirs"].normal(size=5).tolist() == theirs.normal(size=5).tolist()


def test_two_names_of_one_thing_stay_that() -> None:
    inner = [1]
    ring: list[Any] = [inner]
    ring.append(ring)
    point = Point(1.0)
    kept = again(first=inner, second={"deep": inner}, ring=ring, points=(point, [point]))
    kept["first"].append(2)
    assert kept["second"]["deep"] == [1, 2] and kept["ring"][0] is kept["first"] and kept["ring"][1] is kept["ring"]
    assert kept["points"][0] is kept["points"][1][0]


class Engineered:
    """No plain data."""


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Engineered(), f"{__name__}.Engineered"),
        (print, "builtin_function_or_method"),
        (np.array([object()]), "numpy.ndarray"),
        ({3}, "set has no order"),
        (OrderedDict(), "collections.OrderedDict"),
        (Path("a"), "PosixPath"),
        (2 .__add__, "method-wrapper"),
    ],
)  # fmt: skip
def test_what_is_no_plain_data_is_named(value: Any, kind: str) -> None:
    found = refusal(notes={"a": [0, value]})
    assert found.startswith("Mine.notes['a'][1] cannot be saved: a ") and kind in found and "\n" not in found


def test_classes_of_other_modules_are_no_plain_data() -> None:
    with pytest.raises(StrategyError, match=r"^Mine\.point cannot be saved"):
        encode_state({"point": Point(1.0)}, owner="Mine", modules=())
    text = encode_state({"point": Point(1.0)}, owner="Mine", modules=OWN)
    with pytest.raises(DataError, match="makes no sense"):
        decode_state(text, modules=())


def test_arrays_that_share_memory_are_refused() -> None:
    whole = np.zeros(4)
    assert "Mine.part cannot be saved: it shares its memory with whole" in refusal(whole=whole, part=whole[:2])
    kept = again(one=whole, same=whole)
    assert kept["one"] is kept["same"]


@pytest.mark.parametrize(
    "value",
    [
        ["dataclass", "os", "system", {}],
        ["dataclass", __name__, "Engineered", {}],
        ["dataclass", __name__, "Path", {}],
        ["named", __name__, "Point", [1]],
        ["Generator", ["dict", [["bit_generator", "seed"]]]],
        ["defaultdict", "eval", []],
        ["array", "|O", [1], "AAAAAAAAAAA="],
        ["array", "<f8", [9], "AAAAAAAAAAA="],
        ["same", 3],
        ["indicator", 0],
        ["nothing"],
        [],
        {},
    ],
)
def test_a_document_that_nobody_wrote_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="makes no sense"):
        decode_state(json.dumps({"value": value}), modules=OWN)
