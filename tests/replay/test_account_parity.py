"""Random accounts in random sessions, played alike by both engines: contracts, currencies, funding, liquidations."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import NamedTuple

import pytest

from neural_trader.baseline.records import Account, Reason
from neural_trader.baseline.terms import Tier
from neural_trader.market.bars import Step
from parity.accounts import random_terms
from replay.outcome import Outcome, first_difference, outcome_of
from replay.random_bars import make_bars_session, play_bars_session
from replay.random_orders import make_orders_session
from replay.random_sessions import BILLION, Session, make_session
from replay.scenario import Engines, engines_named

SESSIONS = 60
PER_TEST = 20


class _Grid(NamedTuple):
    symbol: str
    tick: Step
    lot: Step


def with_account(session: Session) -> Session:
    """The session with an account of its own."""
    random = Random(f"account {session.seed}")
    leverage_ppb = random.choice((1, 3, 10, 50)) * BILLION
    first = session.instruments[0]
    unit = first[1].mantissa * first[2].mantissa * 10 ** (18 - first[1].decimals - first[2].decimals)
    of_books = max((int(records["price"].max(initial=1)) for records, _ in session.sources), default=1)
    of_bars = {rank: int(bars.open[0]) for rank, bars in session.config.get("bars", ())}
    price = max(1, of_bars.get(0, of_books))
    cash = random.choice((5, 50, 1_000)) * price * unit
    grids = [(_Grid(*each), max(1, of_bars.get(rank, of_books))) for rank, each in enumerate(session.instruments)]
    step_ns = max(1, (session.end_ns - session.start_ns) // 40)
    terms = random_terms(random, grids, leverage_ppb, cash, session.start_ns, session.end_ns, step_ns)
    if random.random() < 0.4:
        terms = replace(terms, tiers=[Tier(0, -100_000, 500_000), Tier(cash, -200_000, 300_000)])
    changes = {"cash": cash, "leverage_ppb": leverage_ppb, "maker_ppb": random.choice((0, -100_000)), "fixed_fee": 0}
    return replace(session, config=session.config | changes | {"account": terms})


@pytest.mark.parametrize("make", [make_session, make_orders_session])
@pytest.mark.parametrize("first", range(0, SESSIONS, PER_TEST))
def test_random_accounts_are_played_alike(first: int, make: type) -> None:
    rust = engines_named("rust")
    for seed in range(first, first + PER_TEST):
        session = with_account(make(seed))
        difference = first_difference(session, outcome_of(Engines("baseline"), session), outcome_of(rust, session))
        assert difference is None, difference


@pytest.mark.parametrize("first", range(0, SESSIONS, PER_TEST))
def test_accounts_hold_bars_and_books_together(first: int) -> None:
    rust = engines_named("rust")
    for seed in range(first, first + PER_TEST):
        session = with_account(make_bars_session(seed))
        plain = outcome_of(Engines("baseline"), session, play_bars_session)
        difference = first_difference(session, plain, outcome_of(rust, session, play_bars_session))
        assert difference is None, difference


def test_the_accounts_come_into_every_situation() -> None:
    covered: Counter[str] = Counter()
    for seed in range(SESSIONS):
        session = with_account(make_session(seed))
        covered.update(_situations(session, outcome_of(Engines("baseline"), session)))
    expected = {"linear", "inverse", "entry", "funding", "liquidation", "another currency", "a rebate"}
    assert not expected - set(covered), covered


def _situations(session: Session, outcome: Outcome) -> set[str]:
    terms = session.config["account"]
    found = {terms.contract(row[1]).kind for row in outcome.fills}
    accounts = {row[1] for row in outcome.postings}
    found |= {account.name.lower() for account in (Account.ENTRY, Account.FUNDING) if account in accounts}
    found |= {"another currency" for row in outcome.postings if row[3] > 2**31}
    found |= {"a rebate" for row in outcome.fills if row[6] < 0}
    found |= {"liquidation" for row in outcome.orders if row[15] == Reason.LIQUIDATION}
    return found
