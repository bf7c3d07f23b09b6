"""Accounts of contracts and currencies from a user's words to result, document, page and a second run."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console

import neural_trader as nt
from neural_trader.backtesting.account_settings import AccountSettings
from neural_trader.cli.verification import check_alone, check_rerun
from neural_trader.errors import NeuralTraderError
from neural_trader.report.document import to_document
from neural_trader.report.html import render
from neural_trader.report.terminal import print_result

HOUR_NS = 3600 * 10**9
START_NS = 1_704_067_200 * 10**9


class Once(nt.Strategy):
    """Buys or sells so many units of the first instrument at its first bar."""

    quantity: float = 1.0

    def on_bar(self, bar: Any) -> None:
        if bar.symbol == self.symbols[0] and not self.position(bar.symbol) and not self.sent:
            self.sent = True
            self.order_of(bar.symbol)

    def on_start(self) -> None:
        self.sent = False

    def order_of(self, symbol: str) -> None:
        (self.buy if self.quantity > 0 else self.sell)(abs(self.quantity), symbol=symbol)


def frame_of(prices: list[float]) -> pl.DataFrame:
    """Hourly bars that each stand at one price."""
    times = [START_NS + HOUR_NS * at for at in range(len(prices))]
    return pl.DataFrame({"time": times} | dict.fromkeys(("open", "high", "low", "close"), prices)).with_columns(
        pl.col("time").cast(pl.Datetime("ns", "UTC"))
    )


def run(prices: list[float], quantity: float = 1.0, symbol: str = "BTC", **settings: Any) -> nt.Result:
    given = {"cash": 1_000, "fee": 0, "slippage": 0} | settings
    return nt.backtest(Once(quantity=quantity), {symbol: frame_of(prices)}, **given)


LINEAR = {"instruments": {"BTC": {"kind": "linear", "maintenance": "2%", "liquidation": "1%"}}}


def test_a_linear_contract_leaves_cash_alone_until_it_is_closed() -> None:
    result = run([100.0, 100.0, 110.0], 2, account=LINEAR)
    assert result.account == {"cash": {"USD": 1_000.0}, "funding": {}, "interest": {}, "liquidations": 0}
    assert result.equity["equity"].to_list() == [1_000.0, 1_000.0, 1_020.0]
    assert result.trades["return"].to_list() == pytest.approx([0.1])


def test_funding_of_a_frame_a_file_and_a_mapping_is_the_same(tmp_path: Path) -> None:
    rows = pl.DataFrame({"time": ["2024-01-01T01:30:00Z", "2024-01-01T02:00:00Z"], "rate": [0.01, -0.005]})
    rows.write_csv(tmp_path / "funding.csv")
    rows.write_parquet(tmp_path / "funding.parquet")
    results = [
        run([100.0] * 4, 2, account=LINEAR, funding=given)
        for given in (
            rows,
            rows.to_pandas(),
            {"BTC": rows},
            tmp_path / "funding.csv",
            str(tmp_path / "funding.parquet"),
        )
    ]
    assert results[0].account is not None and results[0].account["funding"] == {"USD": 1.0}
    # Rows that name their symbol and rows of a lone instrument are two documents of one outcome.
    assert len({result.digests["postings"] for result in results}) == 1
    assert results[0].equity["equity"].to_list() == [1_000.0, 998.0, 999.0, 999.0]


def test_an_inverse_contract_is_told_in_dollars() -> None:
    account = {
        "instruments": {"BTC": {"kind": "inverse", "currency": "XBT", "size": 100}},
        "currencies": {"XBT": {"deposit": 1, "rate": "BTC"}},
    }
    result = run([10_000.0, 10_000.0, 20_000.0], -100, account=account, cash=1, leverage=2)
    assert result.account is not None
    assert result.account["cash"] == {"USD": 1.0, "XBT": 1.0}
    assert result.equity["equity"].to_list() == pytest.approx([10_001.0] * 3)
    assert result.stats["Return [%]"] == pytest.approx(0.0, abs=1e-9)
    fill = result.fills.row(0, named=True)
    assert fill["notional"] == pytest.approx(10_000.0)
    assert result.trades["return"].to_list() == pytest.approx([-1.0])
    assert set(result.postings["unit"].to_list()) == {None, "BTC", "XBT"}


def test_liquidation_is_told_where_every_report_shows_it() -> None:
    result = run([100.0, 100.0, 91.0], 100, account=LINEAR, leverage=10)
    assert result.account is not None and result.account["liquidations"] == 1
    assert "A position was liquidated: equity had fallen below the maintenance margin." in result.warnings
    assert "1 liquidated" in render(result)
    console = Console(file=io.StringIO(), width=80, color_system=None)
    print_result(result, console)
    assert "1 liquidated" in console.file.getvalue()


def test_a_document_names_its_account_and_a_second_run_finds_the_same(tmp_path: Path) -> None:
    funding = pl.DataFrame({"time": [START_NS + HOUR_NS], "rate": ["0.0001"], "symbol": ["ALPHA"], "mark": ["100.123"]})
    account = {
        "interest": "5%",
        "fee_tiers": [[0, "0.1%", "0.2%"], [5_000, "-0.01%", "0.1%"]],
        "instruments": {"*": {"kind": "linear", "maintenance": "1%"}},
    }
    result = nt.backtest("sma_cross", account=account, funding=funding, leverage=5)
    document = json.loads(json.dumps(to_document(result)))
    assert document["account"] == result.account
    assert AccountSettings.of(document["run"]["account"]) == AccountSettings.of(account, funding)
    findings = [*check_alone(document), *check_rerun(document, data=None, strategy=None, progress=None)]
    assert {finding.state for finding in findings if finding.name != "fills"} == {"PASS"}


def test_every_field_of_an_account_is_documented_and_every_documented_field_exists() -> None:
    page = (Path(__file__).parents[2] / "docs/result-schema.md").read_text(encoding="utf-8")
    section = page.split("## Accounts", 1)[1].split("## Replays", 1)[0]
    documented = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    document = to_document(run([100.0] * 3, account=LINEAR))
    found = {f"run.account.{name}" for name in document["run"]["account"]}
    found |= {f"account.{name}" for name in document["account"]}
    usual = to_document(run([100.0] * 3))
    found |= {f"fills[].{name}" for name in set(document["fills"][0]) - set(usual["fills"][0])}
    assert documented == found | {"account", "run.account"}


def test_a_run_without_an_account_does_not_speak_of_one() -> None:
    result = run([100.0, 100.0])
    assert result.account is None
    assert "account" not in to_document(result)
    assert "account" not in result.run
    assert "notional" not in result.fills.columns


def test_an_account_file_stands_in_for_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "funding.csv").write_text("time,rate\n2024-01-01T01:30:00Z,0.01\n")
    file = tmp_path / "account.toml"
    file.write_text('funding = "funding.csv"\n\n[instruments.BTC]\nkind = "linear"\n')
    result = run([100.0] * 3, 2, account=file)
    assert result.account is not None and result.account["funding"] == {"USD": 2.0}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"account": {"kinds": "cash"}}, "account: no such key 'kinds' .*did you mean 'kind'"),
    ({"account": {"kind": "gold"}}, "account.kind 'gold': one of margin, cash"),
    ({"account": 7}, "account: a mapping, or a TOML file"),
    ({"account": "nowhere.toml"}, "nowhere.toml: no such file"),
    ({"account": {"interest": "-1%"}}, "account.interest -1%: a yearly rate"),
    ({"account": {"start_tier": "x"}}, "account.start_tier 'x': a whole number"),
    ({"account": {"start_tier": 1}}, "no fee tier 1"),
    ({"account": {"fee_tiers": [[0, 1]]}}, "account.fee_tiers: rows of volume, maker and taker"),
    ({"account": {"fee_tiers": [[0, 2, 0]]}}, "rates between -1 and 1"),
    ({"account": {"instruments": 1}}, "account.instruments is a table of tables"),
    ({"account": {"instruments": {"ETH": {}}}}, "no instrument 'ETH' in this run"),
    ({"account": {"instruments": {"BTC": {"kind": "swap"}}}}, "BTC.kind 'swap': one of spot, linear, inverse"),
    ({"account": {"instruments": {"BTC": {"margin": 1}}}}, "BTC: no such key 'margin'"),
    ({"account": {"instruments": {"BTC": {"size": 0}}}}, "BTC.size 0: a positive number"),
    ({"account": {"instruments": {"BTC": {"maintenance": 1}}}}, "BTC.maintenance 1: a rate from 0"),
    ({"account": {"instruments": {"BTC": {"currency": "EUR"}}}}, "nobody says what EUR is worth"),
    ({"account": {"currencies": {"USD": {"rate": 1}}}}, "USD: that is the currency of the account"),
    ({"account": {"currencies": {"EUR": {}}}}, "EUR: what is it worth"),
    ({"account": {"currencies": {"EUR": {"rate": "ETH"}}}}, "neither a number nor an instrument"),
    ({"account": {"currencies": {"EUR": {"rate": 0}}}}, "EUR.rate 0: a positive number"),
    ({"account": {"currencies": {"EUR": {"rate": 1, "deposit": -1}}}}, "EUR.deposit -1: not negative"),
    ({"account": {"kind": "cash"}, "leverage": 2}, "a cash account borrows nothing"),
    ({"account": LINEAR | {"kind": "cash"}}, "a cash account holds spot instruments"),
    ({"funding": pl.DataFrame({"time": [START_NS], "rate": [0.1]})}, "a spot instrument has no funding"),
    ({"account": LINEAR, "funding": "none.csv"}, "none.csv: no such file"),
    ({"account": LINEAR, "funding": 7}, "funding: a file, or a frame of time and rate"),
    ({"account": LINEAR, "funding": pl.DataFrame({"time": [1]})}, "funding needs a column 'rate'"),
    (
        {"account": LINEAR, "funding": pl.DataFrame({"time": [START_NS], "rate": [2]})},
        "rate 2: a share of the notional",
    ),
    ({"account": LINEAR, "funding": pl.DataFrame({"time": [START_NS], "rate": ["x"]})}, "rate 'x' is not a number"),
    ({"account": LINEAR, "funding": pl.DataFrame({"time": [START_NS] * 2, "rate": [0.1] * 2})}, "two rates at"),
    ({"account": LINEAR, "like": "backtesting.py"}, "its account knows one currency and spot only"),
    ({"fee": "-0.1%/0.1%", "slippage": None, "like": "backtesting.py"}, "it knows no rebates"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG)
def test_an_account_that_makes_no_sense_is_refused_in_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(NeuralTraderError, match=message) as caught:
        run([100.0, 100.0], **settings)
    assert "\n" not in str(caught.value)


def test_a_replay_takes_the_same_account() -> None:
    from neural_trader.market.recordings import synthetic_recording

    recording = synthetic_recording(7, "1m")
    account = {"instruments": {"*": {"kind": "linear", "maintenance": "0.5%"}}}
    linear = nt.replay("avellaneda_stoikov", recording, account=account, leverage=5)
    spot = nt.replay("avellaneda_stoikov", recording, leverage=5)
    assert linear.account is not None and spot.account is None
    assert linear.digests["fills"] == spot.digests["fills"] and len(linear.fills) > 0
    assert np.allclose(linear.equity["equity"], spot.equity["equity"])
