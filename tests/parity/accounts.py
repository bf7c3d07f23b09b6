"""Random accounts for random cases: contracts, currencies, funding, fee tiers, margin and interest of every kind."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from neural_trader.baseline.terms import CONSTANT, AccountTerms, ContractTerms, Currency, Funding, Tier
from parity.markets import HOUR_NS, START_NS
from parity.programs import BILLION, Case, make_case

CODES = ("BTC", "EUR", "JPY")
SHARE = 10**7
"""One percent in parts per billion."""


def make_account_case(seed: int) -> Case:
    """A case of ``make_case`` with an account of its own."""
    case = make_case(seed)
    random = Random(f"account {seed}")
    opens = [int(bars.open[0]) for bars in case.market]
    end_ns = max(int(bars.close_ns[-1]) for bars in case.market)
    config = case.config | {
        "maker_ppb": random.choice((0, 200_000, -200_000, -12_345_678)),
        "taker_ppb": random.choice((0, 500_000, 33_333_333, -777_777)),
        "leverage_ppb": random.choice((1, 2, 10, 10, 50)) * BILLION,
    }
    if random.random() < 0.15:
        config["leverage_ppb"] = BILLION
        account = _cash_account(random, len(opens))
    else:
        grids = list(zip(case.market, opens, strict=True))
        account = random_terms(random, grids, config["leverage_ppb"], config["cash"], START_NS, end_ns, HOUR_NS)
    return replace(case, config=config | {"account": _with_tiers(random, account, config["cash"])})


def random_terms(
    random: Random,
    grids: list[tuple[Any, int]],
    leverage_ppb: int,
    cash: int,
    start_ns: int,
    end_ns: int,
    step_ns: int,
) -> AccountTerms:
    """A margin account over instruments, each with a price at which it is usual."""
    count = random.choice((0, 0, 1, 2))
    contracts, by_mark = [], [CONSTANT] * count
    for index, (grid, price) in enumerate(grids):
        kind = random.choice(("spot", "linear", "linear", "inverse", "inverse"))
        currency = random.randint(0, count)
        if currency and kind == "inverse" and by_mark[currency - 1] == CONSTANT and random.random() < 0.6:
            by_mark[currency - 1] = index
        elif currency and kind != "inverse" and random.random() < 0.3:
            # It tells what a currency is worth instead, and so is settled in that of the account.
            free = [own for own in range(count) if by_mark[own] == CONSTANT]
            if free:
                by_mark[random.choice(free)] = index
            currency = 0
        initial = BILLION * BILLION // leverage_ppb
        contracts.append(
            ContractTerms(
                kind,
                currency,
                *_size(kind, grid, price, is_own=bool(currency)),
                maintenance_ppb=random.choice((0, initial // 2, initial // 2, initial * 9 // 10)),
                liquidation_ppb=random.choice((0, SHARE // 2, 5 * SHARE)),
            )
        )
    currencies = [
        Currency(
            code,
            deposit=random.choice((0, 0, cash // 3)),
            rate_ppb=random.choice((BILLION, 1_234_567, 37 * BILLION)) if source == CONSTANT else 0,
            rate_instrument=source,
        )
        for code, source in zip(CODES, by_mark, strict=False)
    ]
    return AccountTerms(
        contracts=contracts,
        currencies=currencies,
        funding=_funding(random, contracts, [price for _, price in grids], start_ns, end_ns, step_ns),
        interest_ppb=random.choice((0, 50_000_000, 3 * BILLION)),
        borrow_ppb=random.choice((0, 120_000_000)),
    )


def _size(kind: str, grid: Any, price: int, *, is_own: bool) -> tuple[int, int]:
    """Such that a lot is worth about as much as one of spot."""
    if kind == "spot":
        return 1, 0
    if kind == "linear":
        return (1, 0) if grid.tick.decimals + grid.lot.decimals > 16 else random_size(price)
    tick = grid.tick
    if is_own:
        return max(1, price * tick.mantissa * 10**9 // 10**tick.decimals), 9
    return min(2**62, max(1, (price * tick.mantissa) ** 2 * 10**9 // 100**tick.decimals)), 9


def random_size(price: int) -> tuple[int, int]:
    """One of some sizes of contracts."""
    return ((1, 0), (5, 0), (1, 2), (25, 1))[price % 4]


def _funding(
    random: Random, contracts: list[ContractTerms], prices: list[int], start_ns: int, end_ns: int, step_ns: int
) -> list[Funding]:
    if random.random() < 0.3:
        return []
    every_ns = random.choice((1, 3, 8)) * step_ns
    rows = []
    for index, contract in enumerate(contracts):
        if contract.kind != "spot":
            for time_ns in range(start_ns, end_ns + every_ns, every_ns)[:200]:
                mark = random.choice((0, 0, prices[index]))
                rows.append(Funding(time_ns, index, random.randint(-SHARE, SHARE), mark))
    return sorted(rows)


def _cash_account(random: Random, count: int) -> AccountTerms:
    """It holds spot in one or two currencies, of which one needs a deposit of its own."""
    if random.random() < 0.5:
        return AccountTerms(kind="cash")
    contracts = [ContractTerms(currency=random.choice((0, 1))) for _ in range(count)]
    return AccountTerms(kind="cash", contracts=contracts, currencies=[Currency("EUR", 10**24, 1_100_000_000)])


def _with_tiers(random: Random, account: AccountTerms, cash: int) -> AccountTerms:
    if random.random() < 0.6:
        return account
    tiers = [Tier(0, 1_000_000, 2_000_000), Tier(cash // 2, -100_000, 1_500_000), Tier(20 * cash, -200_000, 300_000)]
    return replace(account, tiers=tiers, start_tier=random.choice((0, 0, 1, 2)))
