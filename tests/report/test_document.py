"""The JSON document: strict, complete, stable, and read back from every file that holds it."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.errors import DataError
from neural_trader.report.atomic import write_text
from neural_trader.report.document import SCHEMA, encode, read_document, to_document, write_document
from neural_trader.report.html import write_html
from neural_trader.report.outcome import Block, drawdowns
from neural_trader.report.thinning import Points, points
from report_sample import HOUR_NS, MINUTE_NS, TIME, curve_result, make_result


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not strict JSON")


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=refuse_constant)


def test_document_of_a_run_is_complete_and_strict() -> None:
    result = make_result(("BTC-USDT", "ETH-USDT"), count=900, warnings=("take care",))
    document = strict(encode(to_document(result)))
    assert document["schema"] == SCHEMA
    assert document["hash"] == result.hash
    assert document["run"] == result.run
    assert document["stats"] == dict(result.stats)
    assert document["benchmark"]["stats"] == result.stats.benchmark
    assert document["warnings"] == ["take care"]
    assert [one["symbol"] for one in document["data"]] == ["BTC-USDT", "ETH-USDT"]
    assert document["data"][0]["tick"] == "0.01"
    for name, frame in (("trades", result.trades), ("orders", result.orders), ("fills", result.fills)):
        assert len(document[name]) == frame.height
        assert document["tables"][name] == {"total": frame.height, "given": frame.height, "columns": frame.columns}
        assert list(document[name][0]) == frame.columns
    assert document["trades"][0]["pnl"] == result.trades["pnl"][0]


def test_same_result_gives_the_same_bytes() -> None:
    assert encode(to_document(make_result(count=500))) == encode(to_document(make_result(count=500)))


def test_times_are_rfc3339_with_every_digit_they_have() -> None:
    result = make_result(count=200)
    shifted = result.fills.with_columns((pl.col("time").cast(pl.Int64) + 1).cast(TIME))
    changed = curve_result([100.0], fills=shifted)
    assert to_document(result)["fills"][0]["time"].endswith(":00Z")
    assert to_document(changed)["fills"][0]["time"].endswith(":00.000000001Z")
    assert to_document(result)["equity"]["time"][0] == "2024-01-01T04:00:00Z"


def test_what_is_not_finite_becomes_null_and_decimals_stay_exact() -> None:
    frame = pl.DataFrame(
        {"price": [Decimal("0.10"), None], "pnl": [float("nan"), float("inf")], "when": [0, None]},
        schema={"price": pl.Decimal(18, 2), "pnl": pl.Float64, "when": TIME},
    )
    result = make_result(count=200)
    # Without trades nothing asks an order what it closed.
    result.orders, result.trades = frame, result.trades.clear()
    assert strict(encode(to_document(result)))["orders"] == [
        {"price": "0.10", "pnl": None, "when": "1970-01-01T00:00:00Z"},
        {"price": None, "pnl": None, "when": None},
    ]


def test_parameters_of_any_type_are_reported() -> None:
    result = make_result(count=200)
    result.run["parameters"] = {"rate": np.float64(0.5), "path": Path("a/b"), "sizes": (1, 2), "bad": float("nan")}
    document = strict(encode(to_document(result)))
    assert document["run"]["parameters"] == {"rate": 0.5, "path": "a/b", "sizes": [1, 2], "bad": "nan"}


def test_long_curve_keeps_its_ends_its_extremes_and_its_deepest_fall() -> None:
    result = make_result(count=60_000, interval_ns=MINUTE_NS)
    equity = to_document(result)["equity"]
    assert equity["total"] == 60_000
    assert equity["given"] == len(equity["time"]) <= 2_000
    curve = result.equity_curve
    assert (equity["equity"][0], equity["equity"][-1]) == (curve[0], curve[-1])
    assert max(equity["equity"]) == curve.max() and min(equity["equity"]) == curve.min()
    assert min(equity["drawdown"]) == min(below.min() for _, below in drawdowns(10_000.0, result.blocks()))
    assert min(equity["drawdown"]) == (curve / np.maximum(np.maximum.accumulate(curve), 10_000.0) - 1.0).min()
    assert result.benchmark_curve is not None
    assert max(equity["benchmark"]) == result.benchmark_curve.max()


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=400),
    st.integers(min_value=8, max_value=60),
    st.lists(st.integers(0, 400), max_size=5),
)
def test_thinned_curve_has_few_points_and_the_same_extremes(values: list[float], limit: int, cuts: list[int]) -> None:
    curve, times = np.array(values), np.arange(len(values))

    def thinned(bounds: list[int]) -> Points:
        blocks = [Block(times[begin:end], curve[begin:end], None) for begin, end in pairwise(bounds) if begin < end]
        return points(drawdowns(1.0, blocks), len(curve), limit)

    drawn = thinned([0, len(curve)])
    assert len(drawn.time_ns) <= limit
    assert list(drawn.time_ns) == sorted(set(drawn.time_ns))
    assert drawn.time_ns[0] == 0 and drawn.time_ns[-1] == len(curve) - 1
    assert drawn.equity.min() == curve.min() and drawn.equity.max() == curve.max()
    ((_, below),) = drawdowns(1.0, [Block(times, curve, None)])
    assert drawn.drawdown.min() == below.min()
    assert np.array_equal(drawn.equity, curve[drawn.time_ns])
    in_blocks = thinned(sorted([0, *(min(cut, len(curve)) for cut in cuts), len(curve)]))
    for one, other in zip(drawn[:3], in_blocks[:3], strict=True):
        assert np.array_equal(one, other)


def test_run_without_trades_or_benchmark_has_a_document() -> None:
    document = strict(encode(to_document(curve_result([100.0, 101.0], HOUR_NS))))
    assert document["trades"] == []
    assert document["benchmark"] is None
    assert document["equity"]["benchmark"] is None
    assert document["undefined"]["Win Rate [%]"] == "no trades"


def test_run_without_samples_has_a_document() -> None:
    document = strict(encode(to_document(curve_result([]))))
    assert document["equity"]["total"] == 0
    assert document["stats"]["Equity Final"] == 100.0


def test_document_reads_back_from_json_and_from_the_page(tmp_path: Path) -> None:
    result = make_result(count=300, strategy="</script><b>&\u2028é")
    written = to_document(result)
    assert read_document(write_document(result, tmp_path / "run.json")) == written
    assert read_document(write_html(result, tmp_path / "run.html")) == written


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html></html>", "neither a JSON document nor a report"),
        ('{"schema": "other/1"}', "its schema is 'other/1'"),
        ('{"schema": ', "is damaged"),
        ('<script type="application/json" id="result">{"a":</script>', "is damaged"),
    ],
)
def test_file_that_is_no_report_is_refused_with_a_reason(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "file.html"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_document(path)


def test_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.json: no such file"):
        read_document(tmp_path / "gone.json")


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_written_file_has_ordinary_permissions_and_exact_bytes(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.txt", "é\r\n\n")
    assert path.read_bytes() == "é\r\n\n".encode()
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
