"""What a strategy reports of itself: checked, and shown in result, document, terminal and page."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import neural_trader as nt
from neural_trader.errors import StrategyRunError
from neural_trader.market.recordings import synthetic_recording
from neural_trader.report import html
from neural_trader.report.document import encode
from neural_trader.report.own_figures import shown
from test_terminal import screen

FIGURES: dict[str, Any] = {
    "trades seen": 12_345,
    "edge [bps]": -1.2345,
    "<b>regime</b>": "calm & quiet",
    "hedged": True,
    "ratio": math.nan,
    "of numpy": np.float64(2.5),
}
KEPT = {**FIGURES, "ratio": None, "of numpy": 2.5}


class Reporter(nt.Strategy):
    def report(self) -> dict[str, Any]:
        return FIGURES


def results() -> list[nt.Result]:
    return [nt.replay(Reporter, synthetic_recording(7, "5s")), nt.backtest(Reporter)]


@pytest.mark.parametrize("at", [0, 1])
def test_figures_are_in_result_document_terminal_and_page(at: int) -> None:
    result = results()[at]
    assert result.figures == KEPT
    assert json.loads(encode(result.to_dict()))["figures"] == KEPT
    assert "trades seen 12,345 · edge [bps] -1.23" in " ".join(screen(result).split())
    page = html.render(result)
    assert "own figures" in page and "&lt;b&gt;regime&lt;/b&gt;" in page and "calm &amp; quiet" in page
    assert "<b>regime" not in page.partition("application/json")[0]


def test_a_strategy_without_figures_has_no_place_for_them() -> None:
    result = nt.replay("avellaneda_stoikov", synthetic_recording(7, "5s"))
    assert result.figures == {} and "figures" not in result.to_dict() and "own figures" not in html.render(result)


@pytest.mark.parametrize(
    ("figure", "text"), [(12_345, "12,345"), (-1.2345, "-1.23"), (None, "n/a"), (True, "yes"), ("calm", "calm")]
)
def test_a_figure_reads(figure: Any, text: str) -> None:
    assert shown(figure) == text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"list": [1]}, "list is a list; a figure is a number"),
        ([1], "return figures by their names"),
        ({1: 2}, "return figures by their names"),
    ],
)
def test_what_is_no_figure_is_one_line(given: Any, words: str) -> None:
    class Wrong(nt.Strategy):
        def report(self) -> Any:
            return given

    with pytest.raises(StrategyRunError, match=words):
        nt.replay(Wrong, synthetic_recording(7, "5s"))


def test_an_error_in_a_report_says_where() -> None:
    class Wrong(nt.Strategy):
        def report(self) -> Any:
            return {"none": 1 / 0}

    with pytest.raises(StrategyRunError, match=r"Wrong.report.*ZeroDivisionError"):
        nt.replay(Wrong, synthetic_recording(7, "5s"))
