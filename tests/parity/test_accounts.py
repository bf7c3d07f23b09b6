"""Contracts, currencies, funding, margin, interest and fee tiers by hand (docs/fill-rules.md section 11).

Golden values are those of venues' own worked examples, named where they stand.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from neural_trader.baseline.contract import Contract
from neural_trader.baseline.records import Account
from neural_trader.baseline.terms import AccountTerms, ContractTerms, Currency, Funding, Tier
from neural_trader.errors import EngineError
from neural_trader.market.bars import Bars, Step
from parity.scenario import MONEY, PERCENT, Run, bars_of, buy, sell

Play = Callable[..., Run]

BILLION = 10**9
DAY_NS = 86_400 * BILLION
FLAT = """
open high low close
100  100  100 100
100  100  100 100
100  100  100 100
100  100  100 100
"""


def flat_at(*prices: int) -> str:
    """A market whose bars each stand at one price."""
    return "open high low close\n" + "\n".join(f"{price} {price} {price} {price}" for price in prices)


def one(contract: ContractTerms, **more: Any) -> AccountTerms:
    return AccountTerms(contracts=[contract], **more)


INVERSE = ContractTerms("inverse")
LINEAR = ContractTerms("linear")


def balance(postings: list[tuple[int, ...]], account: Account, unit: int = 0) -> int:
    return sum(amount for _, of, _, of_unit, amount in postings if (of, of_unit) == (account, unit))


def test_profit_of_an_inverse_future_as_bitmex_gives_it(play: Play) -> None:
    """BitMEX, Inverse Futures Guide: 100,000 contracts of 1 USD from 10,000 to 10,500 gain 0.4762 XBT."""
    market = flat_at(10_000, 10_000, 10_500, 10_500)
    run = play(market, {0: buy(100_000), 1: sell(100_000)}, cash=100 * MONEY, account=one(INVERSE))
    exact = 100_000 * (Fraction(1, 10_000) - Fraction(1, 10_500)) * MONEY
    gained = balance(run.postings, Account.CASH) - 100 * MONEY
    assert gained == exact.__floor__() == run.trades[0].pnl
    assert round(gained / MONEY, 4) == 0.4762


@pytest.mark.parametrize(("left_at", "gain"), [(700, 14.286), (500, -20)])
def test_profit_of_an_inverse_swap_as_published(play: Play, left_at: int, gain: float) -> None:
    """R. Romano, Trading bitcoin inverse futures contracts: 60,000 contracts from 600 to 700, or to 500."""
    run = play(flat_at(600, 600, left_at), {0: buy(60_000), 1: sell(60_000)}, cash=1_000 * MONEY, account=one(INVERSE))
    assert round(run.trades[0].pnl / MONEY, 3) == gain


@pytest.mark.parametrize(("price", "survives"), [(28_000, True), (26_000, False)])
def test_liquidation_of_a_linear_swap_as_flipster_gives_it(play: Play, price: int, survives: bool) -> None:
    """Flipster, Margin Trading Explained: 0.1 BTC at 30,000 on 300 USDT, 10 times, with 1 % of maintenance."""
    bars = bars_of("A", flat_at(30_000, 30_000, price, price), lot=Step(1, 1))
    account = one(LINEAR._replace(maintenance_ppb=PERCENT))
    run = play([bars], {0: buy(1)}, cash=300 * MONEY, leverage_ppb=10 * BILLION, account=account)
    assert (len(run.fills) == 1) == survives
    if survives:
        assert run.equity[-1] == 100


def test_maintenance_of_a_linear_swap_as_deribit_gives_it(play: Play) -> None:
    """Deribit, Linear Perpetual: 25 BTC at 100,000 require 1.125 %, which is 28,125 USDC."""
    account = one(LINEAR._replace(maintenance_ppb=11_250_000))
    asked = {0: buy(25), 1: lambda engine: engine.maintenance()}
    run = play(
        flat_at(100_000, 100_000, 100_000), asked, cash=10**6 * MONEY, leverage_ppb=40 * BILLION, account=account
    )
    assert run.answers[1] == 28_125 * MONEY


def test_a_linear_contract_is_not_paid_for_and_settles_what_it_gains(play: Play) -> None:
    run = play(
        flat_at(100, 100, 110, 130, 130),
        {0: buy(4), 1: [sell(1), lambda engine: engine.cash()], 2: [sell(3), lambda engine: engine.cash()],
         3: lambda engine: engine.cash()},
        cash=1_000 * MONEY,
        account=one(LINEAR),
    )  # fmt: skip
    assert [answer // MONEY for answer in run.answers if answer > MONEY] == [1_000, 1_010, 1_100]
    assert run.equity == [1_000, 1_000, 1_040, 1_100, 1_100]
    assert balance(run.postings, Account.ENTRY) == 0


def test_what_is_left_of_a_contract_keeps_its_average_entry(play: Play) -> None:
    run = play(
        flat_at(100, 100, 130, 150),
        {0: buy(1), 1: buy(2), 2: sell(1)},
        cash=1_000 * MONEY,
        account=one(LINEAR),
    )
    # Three at 120 on average; one of them is sold at 150.
    assert balance(run.postings, Account.CASH) == 1_030 * MONEY
    assert balance(run.postings, Account.ENTRY) == -240 * MONEY


def test_a_contract_size_multiplies_what_a_lot_is(play: Play) -> None:
    account = one(LINEAR._replace(size_mantissa=5))
    run = play(flat_at(100, 100, 110), {0: buy(1)}, cash=1_000 * MONEY, account=account)
    assert run.equity[-1] == 1_050


def test_an_inverse_contract_is_worth_the_exact_fraction_rounded_against_us() -> None:
    random = Random(7)
    for _ in range(2_000):
        tick, lot = (Step(random.randint(1, 99), random.randint(0, 5)) for _ in range(2))
        size = (random.randint(1, 10**6), random.randint(0, 4))
        grid = bars_of("A", FLAT, tick=tick, lot=lot)
        contract = Contract(grid, INVERSE._replace(size_mantissa=size[0], size_decimals=size[1]))
        quantity, price = random.randint(-(10**6), 10**6), random.randint(1, 10**7)
        money = Fraction(quantity * lot.mantissa, 10**lot.decimals) * Fraction(size[0], 10 ** size[1])
        exact = -money / Fraction(price * tick.mantissa, 10**tick.decimals) * MONEY
        assert contract.value(quantity, price) == exact.__floor__()
        assert contract.cost(quantity, price) == exact.__ceil__()


def test_a_position_in_a_bar_is_liquidated_at_the_first_price_that_does_not_suffice(play: Play) -> None:
    """100 lots at 100 on 1,000: equity is 1,000 - 100 * (100 - p) and must stay at or above 2 % of 100 * p."""
    market = "open high low close\n100 100 100 100\n100 100 100 100\n100 105 80 104"
    account = one(LINEAR._replace(maintenance_ppb=2 * PERCENT, liquidation_ppb=PERCENT))
    keep = {0: [buy(100), buy(1, kind="limit", limit=50)]}
    run = play(market, keep, cash=1_000 * MONEY, leverage_ppb=10 * BILLION, account=account)
    assert run.fills == ["open 1: buy 100 @ 100 taker", "close 2: sell 100 @ 91 taker"]
    assert run.ends == ["1 filled", "2 cancelled liquidation"]
    # 100 are left at 91, of which the liquidation takes 1 % of 9,100.
    assert run.equity[-1] == 9
    assert not run.halted


def test_a_gap_is_the_accounts_own_loss(play: Play) -> None:
    account = one(LINEAR._replace(maintenance_ppb=2 * PERCENT, liquidation_ppb=PERCENT))
    run = play(flat_at(100, 100, 85), {0: buy(100)}, cash=1_000 * MONEY, leverage_ppb=10 * BILLION, account=account)
    assert (run.equity[-1], run.halted, run.fill_records[-1].fee) == (-500, True, 0)


def test_a_liquidation_fee_that_equity_cannot_pay_is_not_charged(play: Play) -> None:
    account = one(LINEAR._replace(maintenance_ppb=2 * PERCENT, liquidation_ppb=50 * PERCENT))
    run = play(flat_at(100, 100, 91), {0: buy(100)}, cash=1_000 * MONEY, leverage_ppb=10 * BILLION, account=account)
    assert (run.equity[-1], run.fill_records[-1].fee) == (100, 0)


def test_longs_pay_funding_to_shorts_at_its_time(play: Play) -> None:
    """Bar b of a scenario opens at 100 * b and closes at 100 * b + 90."""
    rows = [Funding(190, 0, PERCENT), Funding(300, 0, 2 * PERCENT, 50), Funding(390, 0, PERCENT)]
    for action, sign in ((buy(3), -1), (sell(3), 1)):
        run = play(FLAT, {0: action}, cash=1_000 * MONEY, account=one(LINEAR, funding=rows))
        # At the close of bar 1 it is due after the sample, at the last close it is not part of the run.
        assert run.equity == [1_000, 1_000, 1_000 + sign * 3, 1_000 + sign * 6]
        assert balance(run.postings, Account.FUNDING) == -sign * 6 * MONEY


def test_what_fills_at_the_time_of_funding_fills_after_it(play: Play) -> None:
    run = play(FLAT, {0: buy(3)}, cash=1_000 * MONEY, account=one(LINEAR, funding=[Funding(100, 0, PERCENT)]))
    assert run.equity[-1] == 1_000


def test_funding_is_rounded_against_us(play: Play) -> None:
    fine = bars_of("A", flat_at(3, 3, 3, 3), tick=Step(1, 9), lot=Step(1, 9))
    for action, paid in ((buy(1), 1), (sell(1), 0)):
        account = one(LINEAR, funding=[Funding(250, 0, 1)])
        run = play([fine], {0: action}, cash=1_000, account=account)
        assert balance(run.postings, Account.FUNDING) == paid


def test_a_currency_is_converted_at_the_mark_of_an_instrument(play: Play) -> None:
    account = AccountTerms(currencies=[Currency("BTC", 2 * MONEY, rate_instrument=0)])
    run = play(flat_at(100, 110, 95), {}, cash=1_000 * MONEY, account=account)
    assert run.equity == [1_200, 1_220, 1_190]


def test_the_mark_of_an_inverse_contract_is_the_rate_of_its_own_currency(play: Play) -> None:
    """A short of as many dollars as the deposit is worth locks its worth in, whatever the price does."""
    terms = INVERSE._replace(currency=1)
    account = AccountTerms(contracts=[terms], currencies=[Currency("BTC", MONEY, rate_instrument=0)])
    run = play(flat_at(10_000, 10_000, 20_000, 5_000), {0: sell(10_000)}, cash=MONEY, account=account)
    assert [round(amount / MONEY, 9) for _, amount in run.samples] == [10_001] * 4


def test_a_result_is_told_in_the_account_currency_at_the_rate_of_its_exit(play: Play) -> None:
    account = AccountTerms(contracts=[ContractTerms(currency=1)], currencies=[Currency("EUR", 0, 1_500_000_000)])
    run = play(flat_at(100, 100, 110), {0: buy(2), 1: sell(2)}, cash=1_000 * MONEY, account=account)
    assert run.trades[0].pnl == 30 * MONEY
    assert run.equity[-1] == 1_030


def test_a_rate_that_nobody_knows_yet_is_one_error(play: Play) -> None:
    late = bars_of("B", FLAT, first_ns=250)
    account = AccountTerms(currencies=[Currency("BTC", MONEY, rate_instrument=1)])
    with pytest.raises(EngineError, match="nobody knows what BTC is worth yet: B has no price"):
        play([bars_of("A", FLAT), late], {}, account=account)


def test_interest_is_charged_on_what_is_owed_each_midnight(play: Play) -> None:
    """A leverage of 2 owes 1,000 after the first fill; 36.5 % a year are 0.1 % a day."""
    days = bars_of("A", flat_at(*[100] * 5), bar_ns=DAY_NS)
    account = AccountTerms(interest_ppb=365 * PERCENT // 10)
    run = play([days], {0: buy(20)}, cash=1_000 * MONEY, leverage_ppb=2 * BILLION, account=account)
    charged = [amount for _, of, _, _, amount in run.postings if of == Account.INTEREST]
    assert charged == [1_000 * MONEY // 1_000, 1_001 * MONEY // 1_000, 1_002_001 * MONEY // 1_000_000]


def test_a_short_of_spot_pays_to_borrow_it(play: Play) -> None:
    days = bars_of("A", flat_at(*[100] * 4), bar_ns=DAY_NS)
    account = AccountTerms(borrow_ppb=365 * PERCENT // 10)
    run = play([days], {0: sell(5)}, cash=1_000 * MONEY, account=account)
    assert balance(run.postings, Account.INTEREST) == 2 * 500 * MONEY // 1_000


def test_a_cash_account_neither_goes_short_nor_borrows(play: Play) -> None:
    run = play(FLAT, {0: [buy(20), sell(3)], 1: sell(50)}, cash=1_050 * MONEY, account=AccountTerms(kind="cash"))
    assert run.ends == ["1 cancelled (10 of 20) margin", "2 filled", "3 cancelled (7 of 50) margin"]


def test_a_rebate_is_received_rounded_down(play: Play) -> None:
    rests = {0: buy(7, kind="limit", limit=99)}
    market = "open high low close\n100 100 100 100\n100 100 100 100\n100 100 98 99"
    run = play(market, rests, maker_ppb=-PERCENT // 100, cash=1_000 * MONEY)
    assert run.fill_records[0].fee == -693 * MONEY // 10_000
    fine = [bars_of("A", market, tick=Step(1, 9), lot=Step(1, 9))]
    assert play(fine, rests, maker_ppb=-1, cash=1_000).fill_records[0].fee == 0


def test_a_rebate_carries_no_position(play: Play) -> None:
    run = play(FLAT, {0: buy(11)}, taker_ppb=-50 * PERCENT, cash=1_000 * MONEY)
    assert run.ends == ["1 cancelled (10 of 11) margin"]


def test_the_tier_of_a_day_follows_what_was_traded_before_it(play: Play) -> None:
    days = bars_of("A", flat_at(*[100] * 40), bar_ns=DAY_NS)
    tiers = [Tier(0, 0, PERCENT), Tier(1_000 * MONEY, 0, PERCENT // 2)]
    orders = {day: buy(10) if day % 2 == 0 else sell(10) for day in (0, 1, 34, 35)}
    run = play([days], orders, account=AccountTerms(tiers=tiers))
    assert [fill.fee // MONEY for fill in run.fill_records] == [10, 5, 10, 5]
    started = play([days], orders, account=AccountTerms(tiers=tiers, start_tier=1))
    assert [fill.fee // MONEY for fill in started.fill_records] == [5, 5, 5, 5]


def test_a_target_fraction_is_of_the_notional_of_contracts(play: Play) -> None:
    """An inverse contract of 10 dollars is a size of 10 dollars, whatever a bitcoin costs."""
    contract = INVERSE._replace(currency=1, size_mantissa=10)
    account = AccountTerms(contracts=[contract], currencies=[Currency("BTC", 0, rate_instrument=0)])
    run = play(
        flat_at(10_000, 10_000, 10_000),
        {0: lambda engine: engine.submit(0, 1, size_kind="target_fraction", size=BILLION // 2)},
        cash=1_000 * MONEY,
        account=account,
    )
    assert run.fill_records[0].quantity == 50


WRONG: dict[str, tuple[AccountTerms, str]] = {
    "kind of account": (AccountTerms(kind="gold"), "an account is one of"),
    "kind of instrument": (one(ContractTerms("swap")), "an instrument is one of"),
    "number of contracts": (AccountTerms(contracts=[LINEAR] * 2), "terms of 2 contracts"),
    "currency": (one(ContractTerms(currency=1)), "unknown currency"),
    "no rate": (AccountTerms(currencies=[Currency("EUR")]), "EUR needs a rate"),
    "order of currencies": (AccountTerms(currencies=[Currency("B", 0, 1), Currency("A", 0, 1)]), "ascending order"),
    "negative deposit": (AccountTerms(currencies=[Currency("EUR", -1, 1)]), "must not be negative"),
    "rate in itself": (
        AccountTerms(contracts=[ContractTerms(currency=1)], currencies=[Currency("EUR", 0, rate_instrument=0)]),
        "in the account currency",
    ),
    "size of spot": (one(ContractTerms(size_mantissa=2)), "no contract size"),
    "size": (one(LINEAR._replace(size_mantissa=0)), "contract size"),
    "maintenance": (one(LINEAR._replace(maintenance_ppb=BILLION)), "below the initial one"),
    "liquidation": (one(LINEAR._replace(liquidation_ppb=-1)), "from 0 to below 1"),
    "cash account with a contract": (one(LINEAR, kind="cash"), "a cash account holds spot"),
    "cash account with interest": (AccountTerms(kind="cash", interest_ppb=1), "borrows nothing"),
    "interest": (AccountTerms(interest_ppb=-1), "must not be negative"),
    "order of tiers": (AccountTerms(tiers=[Tier(0, 0, 0), Tier(0, 0, 0)]), "ascending order of their volumes"),
    "first tier": (AccountTerms(tiers=[Tier(5, 0, 0)]), "begins at volume 0"),
    "start tier": (AccountTerms(tiers=[Tier(0, 0, 0)], start_tier=1), "no fee tier 1"),
    "funding of spot": (AccountTerms(funding=[Funding(0, 0, 1)]), "has no funding"),
    "order of funding": (one(LINEAR, funding=[Funding(5, 0, 1), Funding(1, 0, 1)]), "in order of time"),
    "funding of nothing": (one(LINEAR, funding=[Funding(5, 1, 1)]), "unknown instrument"),
    "mark of funding": (one(LINEAR, funding=[Funding(5, 0, 1, -1)]), "must not be negative"),
}


@pytest.mark.parametrize(("terms", "message"), list(WRONG.values()), ids=list(WRONG))
def test_an_account_that_makes_no_sense_is_refused_before_the_run(
    play: Play, terms: AccountTerms, message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        play(FLAT, {}, account=terms)


def test_peers_know_one_currency_and_spot_only() -> None:
    from neural_trader._core import Engine

    bars: Bars = bars_of("A", FLAT)
    with pytest.raises(EngineError, match="spot instruments only"):
        Engine([bars], cash=MONEY, like="backtesting.py", account=AccountTerms())
