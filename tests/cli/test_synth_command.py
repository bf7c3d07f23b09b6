"""``data synth`` with a model: bars whose law is known, and orders by chance."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from commands import Command
from neural_trader.market import load_bars
from neural_trader.market.models import REGIMES, RegimeSwitching, regime_bars
from neural_trader.market.order_flow import OrderFlow, order_flow

FLOW = ("--model", "order-flow", "--duration", "1m", "--set", "reach=20")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("gbm", "geometric brownian motion"),
        ("merton", "jump diffusion"),
        ("heston", "heston"),
        ("ou", "pair"),
        ("regime", "regime switching"),
    ],
)
def test_bars_of_every_model_say_what_made_them(model: str, words: str, command: Command, tmp_path: Path) -> None:
    made = command("data", "synth", "made.parquet", "--model", model, "--bars", 40, "--json").passed().document
    assert made["bars"] == 40 * len(made["symbols"])
    read = load_bars(tmp_path / "made.parquet")
    assert [bars.symbol for bars in read] == made["symbols"]
    origins = pl.read_parquet(tmp_path / "made.parquet")["origin"].unique().to_list()
    assert origins == [f"synthetic {words} 1, seed 7"]


def test_parameters_reach_the_model_and_true_regimes_the_file(command: Command, tmp_path: Path) -> None:
    command(
        "data", "synth", "made.parquet", "--model", "regime", "--symbols", "XX", "--bars", 500, "--seed", 3,
        "--set", "stress_days=1", "--set", "trend_drift=0.5",
    ).passed()  # fmt: skip
    expected, regimes = regime_bars(RegimeSwitching(stress_days=1.0, trend_drift=0.5), symbol="XX", bars=500, seed=3)
    assert load_bars(tmp_path / "made.parquet")[0].close.tolist() == expected.close.tolist()
    written = pl.read_parquet(tmp_path / "made.parquet")["regime"].to_list()
    assert written == [REGIMES[each] for each in regimes]


def test_orders_are_written_described_and_imported(command: Command, tmp_path: Path) -> None:
    made = command("data", "synth", "flow.parquet", *FLOW, "--collapse", "--json").passed().document
    rows = {each["kind"]: each["rows"] for each in made["files"]}
    assert [each["path"] for each in made["files"]] == ["flow.parquet", "flow-depth.parquet", "flow-trades.parquet"]
    assert rows["orders"] == sum(map(len, order_flow(OrderFlow(reach=20), duration="1m")))
    told = command("data", "info", "flow.parquet", "--json").passed().document
    assert (told["kind"], told["rows"], told["symbol"]) == ("orders", rows["orders"], "ALPHA")
    assert told["actions"]["trade"] == rows["trades"]
    out = command("data", "info", "flow.parquet").passed().out
    assert f"{rows['orders']:,} rows of orders of ALPHA" in out
    assert "synthetic order flow 1, seed 7" in out
    assert max(map(len, out.splitlines())) <= 80
    for kind, name in (("orders", "flow"), ("depth", "flow-depth"), ("trades", "flow-trades")):
        arguments = ("data", "import", f"{name}.parquet", "--venue", "demo", "--kind", kind, "--catalog", "kept")
        imported = json.loads(command(*arguments, "--json").passed().out)
        assert imported["files"][0]["datasets"][0] | {"files": 0} == {
            "dataset": f"demo/ALPHA/{kind}", "rows": rows[kind], "new": rows[kind], "files": 0,
        }  # fmt: skip
    command("data", "check", "catalog:demo/*", "--catalog", "kept").passed()
    assert command("data", "import", "flow.parquet", "--venue", "x", "--kind", "orders", "--tick", "1").code == 3


def test_orders_replace_no_file_unless_forced(command: Command, tmp_path: Path) -> None:
    (tmp_path / "flow-trades.parquet").write_text("mine", encoding="utf-8")
    assert command("data", "synth", "flow.parquet", *FLOW, "--collapse").code == 2
    assert not (tmp_path / "flow.parquet").exists()
    assert (
        "synthetic rows of trades"
        in command("data", "synth", "flow.parquet", *FLOW, "--collapse", "--force").passed().out
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--model order", "--model order: there are bars, gbm, merton, heston, ou, regime, order-flow; did you mean"),
        ("--set drift=1", "--model bars has no parameters"),
        ("--model gbm --set drift", "write NAME=VALUE, such as drift=0"),
        ("--model gbm --set drfit=1", "gbm has no such parameter (it has: drift, volatility); did you mean drift?"),
        ("--model gbm --set drift=much", "'much' is no number"),
        ("--model order-flow --set reach=1.5", "'1.5' is no whole number"),
        ("--model order-flow --bars 5", "--bars: is for bars, not for --model order-flow"),
        ("--model gbm --duration 5m", "--duration: is for --model order-flow, not for --model gbm"),
        ("--collapse", "--collapse: is for --model order-flow"),
        ("--model order-flow --symbols A,B", "this model has one instrument"),
        ("--model regime --symbols A,B", "this model has one instrument"),
    ],
)
def test_wrong_use_is_named(arguments: str, words: str, command: Command) -> None:
    ended = command("data", "synth", "new.parquet", *arguments.split())
    assert ended.code == 2
    assert words in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--model gbm --set volatility=-1", "volatility -1.0 makes no market"),
        ("--model order-flow --set market_rate=nan", "market_rate NaN makes no market"),
        ("--model order-flow --duration soon", "soon"),
        ("--model ou --symbols A", "a pair has two, other models have one"),
    ],
)
def test_what_makes_no_market_is_named(arguments: str, words: str, command: Command) -> None:
    ended = command("data", "synth", "new.parquet", *arguments.split())
    assert ended.code == 3
    assert words in ended.err
    assert ended.err.count("\n") == 1


def test_orders_go_into_parquet_only(command: Command) -> None:
    assert "name a file that ends with .parquet" in command("data", "synth", "flow.csv", *FLOW).err
