"""Random accounts, played by both engines and compared in everything: contracts, currencies, funding, tiers, margin."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import astuple
from typing import Any

import pytest

from neural_trader.baseline import Engine
from neural_trader.baseline.records import Account, Reason
from parity.accounts import make_account_case
from parity.difference import first_difference
from parity.outcome import play_baseline, play_rust

SEEDS = int(os.environ.get("NT_PARITY_SEEDS", "2000")) // 2
ENOUGH_SEEDS = 500
DIFFERENCES_SHOWN = 3

EXPECTED = {
    "linear",
    "inverse",
    "spot",
    "entry",
    "funding",
    "interest",
    "another currency",
    "liquidated",
    "liquidated in a bar",
    "ruined",
    "a rebate",
    "a cash account",
    "an unknown rate",
    "a higher tier",
}


@pytest.fixture(scope="module")
def campaign() -> tuple[list[str], Counter[str]]:
    differences, covered = [], Counter[str]()
    for seed in range(SEEDS):
        case = make_account_case(seed)
        baseline, engine = play_baseline(case)
        covered.update(_situations(case.config, baseline, engine))
        difference = first_difference(case, baseline, play_rust(case))
        if difference is not None:
            differences.append(difference)
    return differences, covered


def test_both_engines_agree_on_every_account(campaign: tuple[list[str], Counter[str]]) -> None:
    differences, _ = campaign
    shown = "\n\n".join(differences[:DIFFERENCES_SHOWN])
    assert not differences, f"{len(differences)} of {SEEDS} cases differ:\n{shown}"


@pytest.mark.skipif(SEEDS < ENOUGH_SEEDS, reason=f"rare situations need at least {ENOUGH_SEEDS} seeds")
def test_the_accounts_come_into_every_situation(campaign: tuple[list[str], Counter[str]]) -> None:
    _, covered = campaign
    assert not EXPECTED - set(covered), "these situations never occurred"


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_every_law_holds_after_every_moment_of_random_accounts(first: int) -> None:
    for seed in range(first, first + 20):
        play_baseline(make_account_case(seed), checked=True)


def _situations(config: dict[str, Any], outcome: Any, engine: Engine) -> set[str]:
    terms = config["account"]
    found = {"a cash account"} if terms.kind == "cash" else set[str]()
    if outcome.seen[-1:] == [("error",)]:
        return found | {"an unknown rate"} if any(each.rate_instrument >= 0 for each in terms.currencies) else found
    found |= {terms.contract(fill.instrument).kind for fill in engine.fills}
    accounts = {posting.account for posting in engine.postings}
    found |= {
        account.name.lower() for account in (Account.ENTRY, Account.FUNDING, Account.INTEREST) if account in accounts
    }
    if any(posting.unit > 2**31 for posting in engine.postings):
        found.add("another currency")
    if engine.halted:
        found.add("ruined")
    if any(fill.fee < 0 for fill in engine.fills):
        found.add("a rebate")
    for at in engine.liquidations:
        fill = engine.fills[at]
        found.add("liquidated")
        bars = engine.instruments[fill.instrument].bars
        if any(bar.close_ns == fill.time_ns and bar.low < fill.price < bar.high for bar in bars):
            found.add("liquidated in a bar")
    if any(order.reason == Reason.LIQUIDATION for order in engine.orders):
        found.add("liquidated with orders")
    rates = {tier.taker_ppb for tier in terms.tiers[1:]}
    if terms.start_tier == 0 and any(
        _paid(engine, fill) in rates for fill in engine.fills if fill.order and not fill.maker
    ):
        found.add("a higher tier")
    return found


def _paid(engine: Engine, fill: Any) -> int:
    """The rate of a fee in parts per billion, to the nearest."""
    notional = engine.instruments[fill.instrument].contract.notional(fill.quantity, fill.price)
    return round((fill.fee - engine.costs.fixed_fee) * 10**9 / max(1, notional))


def test_a_difference_between_accounts_would_be_found() -> None:
    case = next(case for case in map(make_account_case, range(100)) if case.config["account"].interest_ppb)
    other = make_account_case(case.seed)
    assert astuple(case.config["account"]) == astuple(other.config["account"])
    other.config["cash"] += 1
    assert first_difference(case, play_baseline(case)[0], play_rust(other)) is not None
