"""``--account`` and ``--funding``: the account of a run from files, on the command line and in a configuration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import neural_trader as nt
from commands import Command
from neural_trader.backtesting.account_settings import AccountSettings, account_in
from neural_trader.market.bars import Step
from neural_trader.market.recordings import synthetic_recording

SMALL = ("--symbols", "ALPHA", "--end", "2022-03-01", "--leverage", "3")
ACCOUNT = """\
interest = "5%"
fee_tiers = [[0, "0.02%", "0.05%"], [20_000, "-0.005%", "0.04%"]]

[instruments."*"]
kind = "linear"
maintenance = "2%"
"""
FUNDING = "time,rate\n2022-01-20T08:00:00Z,0.0001\n2022-01-20T16:00:00Z,-0.0002\n2022-02-10T00:00:00Z,0.0003\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "account.toml").write_text(ACCOUNT, encoding="utf-8")
    (tmp_path / "funding.csv").write_text(FUNDING, encoding="utf-8")
    head = 'symbols = ["ALPHA"]\nend = "2022-03-01"\nleverage = 3\nfunding = "funding.csv"\n\n[account]\n'
    (tmp_path / "run.toml").write_text(head + ACCOUNT.replace("[instruments", "[account.instruments"), encoding="utf-8")
    return tmp_path


def test_files_flags_and_configuration_make_the_same_run(command: Command, files: Path) -> None:
    flags = ("--account", str(files / "account.toml"), "--funding", str(files / "funding.csv"))
    document = command("backtest", *SMALL, *flags, "--json").passed().document
    result = nt.backtest(
        symbols=["ALPHA"], end="2022-03-01", leverage=3, account=files / "account.toml", funding=files / "funding.csv"
    )
    assert document == result.to_dict()
    assert document["account"]["funding"] != {}
    assert command("backtest", "--config", str(files / "run.toml"), "--json").passed().document["hash"] == result.hash


def test_a_report_of_an_account_is_verified(command: Command, files: Path) -> None:
    flags = ("--account", str(files / "account.toml"), "--funding", str(files / "funding.csv"))
    report = files / "report.json"
    command("backtest", *SMALL, *flags, "--quiet", "--output", str(report)).passed()
    ended = command("verify", str(report)).passed()
    assert "fills       NOTE" in ended.out
    assert ended.out.splitlines()[-1].startswith("PASS")


def test_the_journal_of_a_replay_with_an_account_is_played_again(command: Command, files: Path) -> None:
    account, journal = str(files / "account.toml"), str(files / "run.journal")
    arguments = ("--account", account, "--leverage", "3", "--journal", journal, "--json")
    document = command("replay", *arguments).passed().document
    result = nt.replay("avellaneda_stoikov", synthetic_recording(7), account=account, leverage=3)
    assert document["hash"] == result.hash
    command("replay", journal, "--verify").passed()


def test_the_shown_configuration_is_one_that_can_be_used(command: Command, files: Path) -> None:
    saved = files / "again.toml"
    saved.write_text(command("config", "show", "--config", str(files / "run.toml")).passed().out, encoding="utf-8")
    first, second = (
        command("backtest", "--config", str(path), "--json").passed().document["hash"]
        for path in (files / "run.toml", saved)
    )
    assert first == second


def test_a_variable_changes_one_value_of_an_account(command: Command, files: Path) -> None:
    arguments = ("backtest", "--config", str(files / "run.toml"), "--json")
    document = command(*arguments, env={"NT__ACCOUNT__INTEREST": "7%"}).passed().document
    assert document["run"]["account"]["interest"] == "0.07"
    assert document["run"]["account"]["instruments"]["*"]["kind"] == "linear"


@pytest.mark.parametrize(
    ("flag", "name", "says"),
    [
        ("--account", "nowhere.toml", "nowhere.toml: no such file"),
        ("--funding", "nowhere.csv", "nowhere.csv: no such file"),
        ("--account", "bad.toml", "bad.toml: not valid TOML"),
        ("--account", "odd.toml", "account: no such key 'leverage'"),
    ],
)
def test_what_is_wrong_with_an_account_is_one_line(
    command: Command, files: Path, flag: str, name: str, says: str
) -> None:
    (files / "bad.toml").write_text("kind = ", encoding="utf-8")
    (files / "odd.toml").write_text("leverage = 3", encoding="utf-8")
    ended = command("backtest", *SMALL, flag, str(files / name))
    assert ended.code == 3
    assert says in ended.err
    assert ended.err.count("\n") == 1


def test_the_account_of_the_rules_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/fill-rules.md").read_text(encoding="utf-8")
    (tmp_path / "account.toml").write_text(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[-1], encoding="utf-8")
    (tmp_path / "funding.csv").write_text("time,rate\n2024-01-01T00:00:00Z,0.0001\n", encoding="utf-8")
    settings = AccountSettings.of(account_in(tmp_path / "account.toml"))
    assert settings is not None
    terms = settings.terms(["BTCUSD"], [Step(1, 1)], "USD")
    assert (terms.contracts[0].kind, terms.currencies[0].rate_instrument, len(terms.funding)) == ("inverse", 0, 1)
