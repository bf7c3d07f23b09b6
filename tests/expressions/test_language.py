"""What formulas mean, how they read, and what is refused with the line that says it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random
from typing import Any

import pytest

import neural_trader as nt
from expressions.random_formulas import Draw
from neural_trader.baseline.formula import NAN, Bar, Graph, Grid, Term
from neural_trader.errors import StrategyLoadError
from neural_trader.features.table import table
from neural_trader.strategy.expressions import Formula, Outputs, P, Signal
from neural_trader.strategy.loading import find_strategy

CROSS = """\
import neural_trader as nt

fast, slow = nt.close.sma(nt.P("fast", 10)), nt.close.sma(nt.P("slow", 50))
cross = nt.formula(entry=fast.crosses_above(slow), exit=fast.crosses_below(slow))
"""


def test_a_moving_average_cross_is_that_of_the_library() -> None:
    fast, slow = nt.close.sma(nt.P("fast", 10)), nt.close.sma(nt.P("slow", 50))
    cross = nt.formula(entry=fast.crosses_above(slow), exit=fast.crosses_below(slow))
    ours = nt.backtest(cross)
    library = nt.backtest("sma_cross", parameters={"fast": 10, "slow": 50})
    assert ours.fills.height > 100
    for stream in ("orders", "fills", "postings"):
        assert ours.digests[stream] == library.digests[stream]


def test_plain_python_gives_the_same_hash() -> None:
    cross = nt.formula(
        entry=(nt.close > nt.close.highest(20).previous) & (nt.volume > nt.volume.sma(10)),
        exit=nt.close < nt.close.lowest(10).previous,
        size=nt.volatility_target(0.2),
        stop_loss=2 * nt.atr(14),
    )
    assert nt.backtest(cross).hash == nt.backtest(cross, native=False).hash


def test_a_strength_of_a_universe_is_the_same_in_plain_python() -> None:
    strongest = nt.formula(
        target=(nt.close.momentum(20, 0).rank_across() >= 0.5).choose(nt.share, 0),
        when=nt.close.momentum(20, 0).rank_across().lag(5) >= 0,
    )
    first = nt.backtest(strongest)
    assert first.hash == nt.backtest(strongest, native=False).hash
    assert first.fills["symbol"].n_unique() > 1


def graph_values(terms: list[Term], *columns: list[float]) -> list[list[float]]:
    graph = Graph(terms, [Grid((1.0, 100.0), (1.0, 1.0))] * len(columns))
    found = []
    for closes in zip(*columns, strict=True):
        graph.update({k: Bar(close, close, close, close) for k, close in enumerate(closes)})
        found.append([values[-1] for values in graph.values])
    return found


@pytest.mark.parametrize(
    ("operation", "numbers", "expected"),
    [
        ("first", (), [0, 1, 0, 0, 1, 0]),
        ("hold", (2.0,), [0, 1, 1, 1, 1, 1]),
        ("since", (), [NAN, 0, 0, 1, 0, 1]),
        ("lag_signal", (1.0,), [NAN, 0, 1, 1, 0, 1]),
        ("not", (), [1, 0, 0, 1, 0, 1]),
        ("every", (2.0,), [0, 1, 0, 0, 1, 0]),
    ],
)
def test_states_of_a_signal_by_hand(operation: str, numbers: tuple[float, ...], expected: list[float]) -> None:
    on = [Term("close"), Term("number", (), (5.0,)), Term("order", (0, 1)), Term("above", (2,))]
    found = graph_values([*on, Term(operation, (3,), numbers)], [1, 6, 7, 2, 9, 1])
    assert [str(row[0]) for row in found] == [str(float(value)) for value in expected]


def test_a_cross_needs_the_bar_before() -> None:
    terms = [Term("close"), Term("number", (), (5.0,)), Term("order", (0, 1)), Term("crosses_above", (2,))]
    assert [row[0] for row in graph_values(terms, [6, 5, 6, 7, 4, 6])] == [0, 0, 1, 0, 0, 1]
    terms[-1] = Term("crosses_below", (2,))
    assert [row[0] for row in graph_values(terms, [6, 5, 4, 7, 4, 6])] == [0, 0, 1, 0, 1, 0]


def test_a_rank_shares_places_and_leaves_out_what_is_not_known() -> None:
    columns = [[3.0], [1.0], [3.0], [math.nan]]
    assert [str(value) for value in graph_values([Term("close"), Term("rank_across", (0,))], *columns)[0]] == [
        "0.75", "0.0", "0.75", "nan",
    ]  # fmt: skip
    assert graph_values([Term("close"), Term("demean_across", (0,))], [1.0], [3.0])[0] == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("operation", "numbers", "expected"),
    [
        ("count_across", (), [4, 4, 4, NAN, 4]),
        ("mean_across", (), [4, 4, 4, NAN, 4]),
        ("zscore_across", (), [-1, 1, -1, NAN, 1]),
        ("scale_across", (), [1 / 8, 3 / 8, 1 / 8, NAN, 3 / 8]),
        ("winsorise_across", (0.25,), [2, 6, 2, NAN, 6]),
        ("top_across", (1.0,), [0, 1, 0, 0, 0]),
        ("top_across", (3.0,), [1, 1, 0, 0, 1]),
        ("bottom_across", (1.0,), [0, 0, 1, 0, 0]),
    ],
)
def test_instruments_beside_each_other_by_hand(
    operation: str, numbers: tuple[float, ...], expected: list[float]
) -> None:
    columns = [[2.0], [6.0], [2.0], [math.nan], [6.0]]
    found = graph_values([Term("close"), Term(operation, (0,), numbers)], *columns)[0]
    assert [str(float(value)) for value in found] == [str(float(value)) for value in expected]


def test_what_a_line_explains_is_taken_away() -> None:
    terms = [Term("close"), Term("multiply", (0, 0)), Term("neutralise_across", (1, 0))]
    assert graph_values(terms, [1.0], [2.0], [3.0])[0] == [
        pytest.approx(1 / 3),
        pytest.approx(-2 / 3),
        pytest.approx(1 / 3),
    ]


def test_what_is_not_known_is_off_and_so_is_its_opposite() -> None:
    above = nt.close.sma(3) > nt.close
    assert repr(~above) == "close.sma(3) <= close"
    assert repr(~(above & (nt.close > 5))) == "(close.sma(3) <= close) | (close <= 5)"
    assert repr(~~above.first()) == "(close.sma(3) > close).first()"


def test_prices_are_compared_as_ticks_with_each_other_and_as_decimals_with_numbers() -> None:
    def operations(signal: Signal) -> list[str]:
        terms, _ = Formula.of(entry=signal).lowered({"share": 1.0, "bars_per_year": 1.0})
        return [term.operation for term in terms]

    assert "from_ticks" not in operations(nt.close * 1.02 > nt.open)
    assert operations(nt.close > 100).count("from_ticks") == 1
    assert operations(nt.close * nt.volume > 100).count("from_lots") == 1


def test_equal_nodes_are_one() -> None:
    entry = (nt.close.sma(5) > nt.close.sma(9)) & (nt.close.sma(5) > nt.open)
    terms, _ = Formula.of(entry=entry).lowered({"share": 1.0, "bars_per_year": 1.0})
    assert [term.operation for term in terms].count("sma") == 2


def test_a_formula_goes_through_its_document_and_keeps_its_hash() -> None:
    for seed in range(300):
        formula = Draw(Random(seed)).formula()
        again = Formula.from_document(json.loads(json.dumps(formula.document())))
        assert again.hash == formula.hash and again.text == formula.text, formula.text
        assert again.parameters == formula.parameters


def test_a_formula_goes_through_its_text_and_keeps_its_hash() -> None:
    for seed in range(300):
        formula = Draw(Random(seed)).formula()
        again = Formula.parse(formula.text)
        assert again.hash == formula.hash and again.text == formula.text, formula.text
    for kind in table().values():
        if kind.of_bars:
            made = getattr(nt.bars, kind.name)()
            outputs = made._made.values() if isinstance(made, Outputs) else [made]
            for each in outputs:
                formula = Formula.of(entry=each > P("level", 0.5) * 1e-5, stop_loss=1e16 - nt.close * -2)
                assert Formula.parse(formula.text).hash == formula.hash, formula.text


def test_a_text_is_a_strategy_wherever_it_stands(tmp_path: Path) -> None:
    text = """\
# A cross of averages.
entry = close.sma(fast).crosses_above(
    close.sma(slow)  # slower
)
with fast = 10, slow = 50
exit = close.sma(fast).crosses_below(close.sma(slow))
"""
    file = tmp_path / "cross.formula"
    file.write_text(text)
    (tmp_path / "mine.py").write_text(CROSS)
    found = find_strategy(str(file))
    assert found.formula.hash == find_strategy(f"{tmp_path / 'mine.py'}:cross").formula.hash  # type: ignore[attr-defined]
    assert nt.backtest(found).hash == nt.backtest(nt.parse_formula(text)).hash


NO_TEXT = {
    "entry = close >": "line 1, column 16: invalid syntax",
    "entry = close > 5\nexit = close < smaa(5)": "line 2, column 16: a formula has no 'smaa(5)'",
    "entry = close > nothing": "line 1, column 17: there is no 'nothing'",
    "entry = close > close.smaa(5)": "line 1, column 17: a series has no 'smaa'; did you mean 'sma'?",
    "entry = close > close.sma(5.5)": "column 17: sma takes a whole number of bars from 1 on, not 5.5",
    "entry = close > close.lag(-1)": "would look ahead",
    "entry = close > close.sma(fast)": "there is no 'fast'",
    "entry = 1 < close < 5": "column 9: a comparison is one of > >= < <=",
    "entry = close == 5": "a comparison is one of",
    "entry = (close > 5) and (open > 5)": "a formula has no",
    "entry = close & open": "makes no sense",
    "entry = (close > 5) + 1": "is on or off and no number",
    "entry = close": "formula: close is no signal",
    "exit = close > 5": "formula: a strategy needs an entry",
    "entry = close > 5\nentry = close > 6": "line 2, column 1: entry is said twice",
    "enter = close > 5": "there is no role 'enter'",
    "entry: close > 5": "a line is `role = expression`",
    "close > 5": "a line is `role = expression`",
    "import os": "a line is `role = expression`",
    "entry = close.__class__ > 5": "column 9: a formula has no 'close.__class__'",
    "entry = close.inputs() > 5": "a formula has no 'inputs'",
    "entry = close.previous > 5": "a formula has no",
    "entry = close.__class__() > 5": "a formula has no '__class__'",
    "entry = bars.__class__() > 5": "a formula has no '__class__'",
    "entry = bars.atr(2)._made > 5": "a formula has no",
    "entry = close.macd()._made > 5": "a formula has no",
    "entry = close.macd() > 5": "column 9: this is one of",
    "entry = close.macd().lines > 5": "there is no output 'lines'",
    "entry = bars > 5": "there is no 'bars'",
    "entry = __import__('os') > 5": "a formula has no",
    "entry = close > True": "a formula has no 'True'",
    "entry = close > 1e999": "no finite number",
    f"entry = close > {10**400}": "makes no sense",
    "entry = close > 'é' + nothing": "column 17: a formula has no",
    "entry = close.sma(n=5, m=6) > 5": "sma takes no 'm'",
    "entry = close.lag(x=5) > 5": "makes no sense",
    "entry = close > (lambda: 5)": "a formula has no",
    "entry = close > [5][0]": "a formula has no",
    "entry = close > n\nwith n = ten": "line 2, column 1: parameters are written as",
    "entry = close > n\nwith n = 1, n = 2": "two defaults",
    "entry = close > 5\nwith n = 1": "nothing reads the parameter 'n'",
    "entry = close > n\nwith n = nan": "is a number",
    "entry = close > share\nwith share = 1": "which is a word of formulas",
    "with n = 1\nwith m = 1": "stand in one line",
    "entry = " + "(" * 500 + "close" + ")" * 500 + " > 5": "",
    "entry = " + "-" * 100_000 + "close > 5": "",
    "entry = close > 5\0": "",
    "": "needs an entry",
}


@pytest.mark.parametrize("text", NO_TEXT, ids=lambda text: text[:40])
def test_a_text_that_is_no_formula_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(StrategyLoadError) as refused:
        Formula.parse(text)
    assert NO_TEXT[text] in str(refused.value) and str(refused.value).startswith("formula"), str(refused.value)
    assert "\n" not in str(refused.value) and "test_language" not in str(refused.value)


def test_the_hash_tells_formulas_apart_and_nothing_else() -> None:
    def hash_of(**roles: Any) -> str:
        return Formula.of(**roles).hash

    one = hash_of(entry=nt.close > nt.close.sma(P("n", 10)))
    assert one == hash_of(entry=nt.close > nt.close.sma(P("n", 10)))
    assert one != hash_of(entry=nt.close > nt.close.sma(P("n", 11)))
    assert one != hash_of(entry=nt.close >= nt.close.sma(P("n", 10)))
    assert one != hash_of(short_entry=nt.close > nt.close.sma(P("n", 10)))


def test_a_file_and_a_document_name_the_same_strategy(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(CROSS)
    found = find_strategy(f"{tmp_path / 'mine.py'}:cross")
    document = tmp_path / "cross.json"
    document.write_text(json.dumps(found.formula.document()))  # type: ignore[attr-defined]
    assert nt.backtest(found).hash == nt.backtest(str(document)).hash
    assert nt.backtest(str(document), parameters={"fast": 20}).run["parameters"] == {"fast": 20, "slow": 50}


REFUSED = {
    "if nt.close > 5: pass": "write &, | and ~",
    "(nt.close > 5) and (nt.open > 5)": "write &, | and ~",
    "5 < nt.close < 6": "write &, | and ~",
    "nt.close > '5'": "'5' is no number",
    "nt.close.lag(-1)": "look ahead",
    "nt.close.shift(-1)": "called lag",
    "nt.close == 5": "not compared with ==",
    "nt.close.smaa(5)": "did you mean 'sma'",
    "nt.close.sma(5.5)": "whole number",
    "nt.close.sma(nt.P('n', 0.5))": "whole numbers",
    "nt.close & nt.open": "unsupported operand",
    "(nt.close > 5) & nt.open": "is no signal",
    "(nt.close > 5) + 1": "unsupported operand",
    "nt.close + True": "no number",
    "nt.P('volume', 1)": "a word of formulas",
    "nt.close.top_across(0)": "whole number of instruments",
    "nt.close.winsorise_across(0.5)": "below 0.5",
    "nt.close + float('nan')": "no finite number",
    "nt.formula(entry=nt.close)": "is no signal",
    "nt.formula(exit=nt.close > 5)": "needs an entry",
    "nt.formula(entry=nt.close > 5, size=nt.close)": "fraction of equity",
    "nt.formula(entry=nt.close > 5, stop_loss=nt.volume)": "distance",
    "nt.formula(entry=nt.close > 5, stop_loss=0.1, trail=0.1)": "one stop",
    "nt.formula(entry=nt.close > nt.P('a', 1), exit=nt.close < nt.P('a', 2))": "two defaults",
    "nt.formula(entry=nt.close > nt.P('cash', 1))": "cannot be called 'cash'",
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_makes_no_sense_is_refused_with_its_line(code: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(f"import neural_trader as nt\n\n{code}\n")
    with pytest.raises(StrategyLoadError) as refused:
        find_strategy(str(file))
    assert REFUSED[code] in str(refused.value)
    assert "mine.py" in str(refused.value) and "line 3" in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"schema": "neural-trader.formula/2"},
        {
            "schema": "neural-trader.formula/1",
            "parameters": {},
            "nodes": [{"is": "sma", "of": [0], "with": [5]}],
            "roles": {},
        },
        {"schema": "neural-trader.formula/1", "parameters": {}, "nodes": [{"is": "close"}], "roles": {"entry": 0}},
        {"schema": "neural-trader.formula/1", "parameters": {}, "nodes": [{"is": "__class__", "of": []}], "roles": {}},
    ],
)
def test_a_document_that_is_no_formula_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(StrategyLoadError):
        Formula.from_document(document)
