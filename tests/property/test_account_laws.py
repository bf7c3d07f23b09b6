"""What holds of every account: books balance, linear contracts are spot that is not paid for, danger ends."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from neural_trader.baseline import Engine
from neural_trader.baseline.orders import DAY_NS
from neural_trader.baseline.terms import AccountTerms, ContractTerms
from neural_trader.errors import EngineError
from parity.accounts import make_account_case
from parity.outcome import play_baseline
from parity.programs import Case, Program, make_case

seeds = st.integers(0, 10**9)
BILLION = 10**9


@given(seeds)
def test_law_2_every_transaction_of_every_account_sums_to_zero_in_every_unit(seed: int) -> None:
    _, engine = play_baseline(make_account_case(seed))
    sums: dict[tuple[int, int], int] = defaultdict(int)
    for posting in engine.postings:
        sums[posting.transaction, posting.unit] += posting.amount
    assert set(sums.values()) == {0}


@given(seeds)
def test_law_2_equity_is_cash_and_marked_positions_after_every_moment(seed: int) -> None:
    play_baseline(make_account_case(seed), checked=True)


@given(seeds)
def test_a_linear_contract_is_spot_that_is_not_paid_for(seed: int) -> None:
    """Orders, fills and equity are the same to the last unit of money; only what is cash is not."""
    case = make_case(seed)
    of_contracts = AccountTerms(contracts=[ContractTerms("linear")] * len(case.market))
    spot, _ = play_baseline(case)
    linear, _ = play_baseline(replace(case, config=case.config | {"account": of_contracts}))
    assert (spot.orders, spot.fills, spot.trades) == (linear.orders, linear.fills, linear.trades)
    assert spot.equity_samples == linear.equity_samples


class _Shifted(Program):
    """Asks for the same at other times."""

    shift_ns = 0

    def random_order(self, engine: Any, instrument: int, side: int) -> dict[str, Any]:
        order = super().random_order(engine, instrument, side)
        if "expire_ns" in order:
            order["expire_ns"] += self.shift_ns
        return order


@given(seeds, st.integers(-1_000, 1_000))
def test_law_10_shifting_all_times_by_whole_days_shifts_an_account(seed: int, days: int) -> None:
    case, shift_ns = make_account_case(seed), days * DAY_NS
    account = case.config["account"]
    funding = [row._replace(time_ns=row.time_ns + shift_ns) for row in account.funding]
    config = case.config | {"account": replace(account, funding=funding)}
    market = [replace(bars, open_ns=bars.open_ns + shift_ns, close_ns=bars.close_ns + shift_ns) for bars in case.market]
    here, there = _run(case, 0), _run(replace(case, market=market, config=config), shift_ns)
    assert here.postings == there.postings
    assert [(time_ns + shift_ns, amount) for time_ns, amount in here.equity_samples] == there.equity_samples


def _run(case: Case, shift_ns: int) -> Engine:
    """The engine after a run, or after as much of it as there is."""
    engine, program = Engine(case.market, **case.config), _Shifted(case)
    program.shift_ns = shift_ns
    with suppress(EngineError):
        engine.run(program)
    return engine


class _Watched(Engine):
    """Looks at every liquidation with fractions of its own."""

    looked = 0

    def _liquidate(self) -> None:
        equity, maintenance = self.exactly()
        # Both were rounded, each by less than one unit for each of its parts.
        assert equity < maintenance + 4 * len(self.instruments) + 4, "liquidated without danger"
        self.looked += 1
        super()._liquidate()

    def exactly(self) -> tuple[Fraction, Fraction]:
        """Equity and maintenance, without any rounding but that of what has been posted."""
        equity = maintenance = Fraction(0)
        account = self.account
        for currency in range(1 + len(account.terms.currencies)):
            rate = Fraction(*account.rate(currency))
            equity += self.cash(currency) * rate
            for index, instrument in enumerate(self.instruments):
                contract = instrument.contract
                position = self.position(index)
                if contract.currency != currency or not position:
                    continue
                if contract.kind == "inverse":
                    value = Fraction(-position * contract._numerator, contract._denominator * instrument.mark)
                else:
                    value = Fraction(position * contract.unit * instrument.mark)
                equity += (self._ledger.entry(index, currency) + value) * rate
                maintenance += abs(value) * rate * Fraction(contract.maintenance_ppb, BILLION)
        return equity, maintenance


@given(seeds)
def test_an_account_is_liquidated_only_while_equity_is_below_maintenance(seed: int) -> None:
    case = make_account_case(seed)
    engine = _Watched(case.market, **case.config)
    try:
        engine.run(Program(case))
    except EngineError:
        return
    assert len(engine.liquidations) >= engine.looked
    if not engine.halted and not case.config["close_at_end"] and engine.account.has_maintenance:
        equity, maintenance = engine.exactly()
        # The last bar ended with a check of its own, unless an order filled at its close after it.
        assert equity >= maintenance - 4 * len(engine.instruments) - 4 or case.config["fill_close"]


def test_the_seeds_liquidate() -> None:
    """The law above would say nothing of accounts that are never in danger."""
    looked = 0
    for seed in range(200):
        case = make_account_case(seed)
        engine = _Watched(case.market, **case.config)
        try:
            engine.run(Program(case))
        except EngineError:
            continue
        looked += engine.looked
    assert looked >= 10
