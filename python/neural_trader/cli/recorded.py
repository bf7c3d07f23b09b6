"""What a result document says about itself: its records as exact integers again, and the digests over them.

A document holds decimals, the digests cover integers. Ticks, lots and the fee formula lead back from one to the other,
so that a figure that was changed afterwards shows without running anything.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from neural_trader.backtesting.account_settings import AccountSettings
from neural_trader.backtesting.replay_settings import ReplaySettings
from neural_trader.backtesting.settings import Fee, Settings, Slippage
from neural_trader.baseline import run_hash
from neural_trader.baseline.contract import Contract
from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.records import FillRecord, OrderRecord, PostingRecord
from neural_trader.baseline.replay.digests import digest_replay_orders
from neural_trader.baseline.replay.orders import ReplayOrderRecord
from neural_trader.baseline.terms import ContractTerms
from neural_trader.codes import KINDS, REASONS, STATES, TIMES_IN_FORCE
from neural_trader.errors import DataError, NeuralTraderError
from neural_trader.market.bars import Step

MONEY = 10**18


class Instrument(NamedTuple):
    """What the document tells about an instrument."""

    symbol: str
    tick: Step
    lot: Step


class Recorded:
    """The records of a document; DataError where they make no sense."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.instruments = [
            Instrument(each["symbol"], Step.of(each["tick"], "tick"), Step.of(each["lot"], "lot"))
            for each in document["data"]
        ]
        self._rank = {each.symbol: k for k, each in enumerate(self.instruments)}
        self.settings = self._settings(document["run"])

    @staticmethod
    def _settings(run: dict[str, Any]) -> Settings | ReplaySettings:
        return settings_of(run)

    def is_whole(self, table: str) -> bool:
        """Whether all rows of a table are in the document; a page keeps the first ones only."""
        extent = self.document["tables"][table]
        return bool(extent["given"] == extent["total"] == len(self.document[table]))

    def parameters_digest(self) -> str:
        return run_hash.digest_parameters(self.document["run"]).hex()

    def orders_digest(self) -> str:
        return run_hash.digest_orders(self._order(at, row) for at, row in enumerate(self.document["orders"])).hex()

    def fills(self) -> list[FillRecord]:
        return [self._fill(at, row) for at, row in enumerate(self.document["fills"])]

    def postings(self, fills: list[FillRecord]) -> list[PostingRecord]:
        """The ledger that follows from the deposit and the fills."""
        ledger = Ledger(int(self.settings.cash * MONEY))
        for fill in fills:
            ledger.post_fill(fill, self._contract(fill.instrument))
        return ledger.postings

    def hash(self) -> str:
        """The run hash over the digests as the document gives them."""
        digests = {name: bytes.fromhex(digest) for name, digest in self.document["digests"].items()}
        return run_hash.run_hash(self.document["version"], **digests).hex()

    def cannot_digest_orders(self) -> str | None:
        """Why the digest of the orders cannot be had from the document, if it cannot."""
        if not self.is_whole("orders"):
            return "the page holds only the first orders"
        return None

    def cannot_digest_fills(self) -> str | None:
        """Why the digests of fills and postings cannot be had from the document, if they cannot."""
        if not self.is_whole("fills"):
            return "the page holds only the first fills"
        if self.settings.account is not None:
            return "fees, funding and interest of its account follow from more than its fills"
        return None

    def _order(self, at: int, row: dict[str, Any]) -> OrderRecord:
        where = f"orders[{at}]"
        k = self._known(where, row["symbol"])

        def ticks(name: str) -> int:
            return 0 if row[name] is None else _counts(f"{where}.{name}", row[name], self.instruments[k].tick)

        def lots(name: str) -> int:
            return _counts(f"{where}.{name}", row[name], self.instruments[k].lot)

        return OrderRecord(
            id=row["id"],
            parent=row["parent"] or 0,
            instrument=k,
            side={"buy": 1, "sell": -1}[row["side"]],
            kind=KINDS.index(row["kind"]),
            time_in_force=TIMES_IN_FORCE.index(row["time_in_force"]),
            expire_ns=0 if row["expires"] is None else instant_ns(row["expires"]),
            quantity=lots("quantity"),
            limit=ticks("limit"),
            stop=ticks("stop"),
            trail_ticks=ticks("trail"),
            trail_ppb=0,
            filled=lots("filled"),
            cancelled=lots("cancelled"),
            state=STATES.index(row["state"]),
            reason=REASONS.index(row["reason"] or ""),
            submit_ns=instant_ns(row["time"]),
        )

    def _fill(self, at: int, row: dict[str, Any]) -> FillRecord:
        where = f"fills[{at}]"
        k = self._known(where, row["symbol"])
        own = self.instruments[k]
        quantity = _counts(f"{where}.quantity", row["quantity"], own.lot)
        price = _counts(f"{where}.price", row["price"], own.tick)
        reference = _counts(f"{where}.reference", row["reference"], own.tick)
        is_maker = row["liquidity"] == "maker"
        contract = self._contract(k)
        lots = quantity if row["side"] == "buy" else -quantity
        slippage = contract.cost(lots, price) - contract.cost(lots, reference)
        # Ruin closes without a fee, and is the only thing that does.
        is_ruin = row["order"] is None and row["fee"] == 0
        fee = 0 if is_ruin else self._fee(contract, quantity, price, maker=is_maker)
        for name, exact in (("fee", fee), ("slippage", slippage)):
            if not _is_near(row[name], exact / MONEY):
                raise DataError(f"{where}.{name} is {row[name]}, and follows from the rest as {exact / MONEY}")
        return FillRecord(
            row["order"] or 0, k, {"buy": 1, "sell": -1}[row["side"]], quantity, price, reference, fee, slippage,
            int(is_maker), instant_ns(row["time"]),
        )  # fmt: skip

    def _contract(self, instrument: int) -> Contract:
        return Contract(self.instruments[instrument], ContractTerms())

    def _fee(self, contract: Contract, quantity: int, price: int, *, maker: bool) -> int:
        engine = self.settings.engine_arguments()
        fixed: int = engine["fixed_fee"]
        return contract.charge(quantity, price, engine["maker_ppb" if maker else "taker_ppb"]) + fixed

    def _known(self, where: str, symbol: str) -> int:
        if symbol not in self._rank:
            raise DataError(f"{where}.symbol is {symbol!r}, which is no instrument of the report")
        return self._rank[symbol]


class RecordedReplay(Recorded):
    """The records of a replay, whose orders say more."""

    @staticmethod
    def _settings(run: dict[str, Any]) -> ReplaySettings:
        account = AccountSettings.of(run.get("account"))
        given = {name: run[name] for name in OF_REPLAYS}
        return ReplaySettings.of(fee=fee_of(run), account=account, impact=run.get("impact"), **given)

    def orders_digest(self) -> str:
        rows = enumerate(self.document["orders"])
        return digest_replay_orders(self._placed(at, row) for at, row in rows).hex()

    def _placed(self, at: int, row: dict[str, Any]) -> ReplayOrderRecord:
        order = self._order(at, row)
        lot = self.instruments[order.instrument].lot
        return ReplayOrderRecord(
            **asdict(order),
            post_only=row["post_only"],
            reduce_only=row["reduce_only"],
            display=0 if row["display"] is None else _counts(f"orders[{at}].display", row["display"], lot),
            accept_ns=None if row["accepted"] is None else instant_ns(row["accepted"]),
        )


OF_REPLAYS = ("cash", "leverage", "currency", "latency", "feed", "queue", "whole", "self_trade", "sample")
"""The settings of a replay as its document names them, beside the fee."""


def is_replay(run: dict[str, Any]) -> bool:
    """Whether the settings of a run are those of a replay."""
    return "queue" in run


def recorded_of(document: dict[str, Any]) -> Recorded:
    """The records of a document of either kind."""
    return RecordedReplay(document) if is_replay(document["run"]) else Recorded(document)


def settings_of(run: dict[str, Any]) -> Settings:
    """The settings of a run from its document."""
    names = ("cash", "fill", "limit", "leverage", "volume_cap", "close_at_end", "currency", "like")
    account = AccountSettings.of(run.get("account"))
    settings = {name: run[name] for name in names}
    return Settings.of(fee=fee_of(run), slippage=slippage_of(run), account=account, **settings)


def fee_of(run: dict[str, Any]) -> Fee:
    """The fee rates of a run's document."""
    return Fee(*(Decimal(run["fee"][name]) for name in ("maker", "taker", "fixed")))


def slippage_of(run: dict[str, Any]) -> Slippage:
    """The slippage of a run's document, where none is a word."""
    return Slippage() if run["slippage"] == "none" else Slippage.of(run["slippage"])


def instant_ns(text: str) -> int:
    """Nanoseconds of an RFC 3339 time in UTC with any number of decimals."""
    head, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int((datetime.fromisoformat(head).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)


def _counts(where: str, value: float, step: Step) -> int:
    """A decimal as a count of steps, which it must be but for the rounding of a float."""
    exact = Decimal(str(value)).scaleb(step.decimals) / step.mantissa
    counts = int(exact.to_integral_value())
    if not _is_near(float(exact), counts):
        raise DataError(f"{where} is {value}, which is no multiple of {step}")
    return counts


def _is_near(value: float, exact: float) -> bool:
    return abs(value - exact) <= 1e-9 * max(1e-9, abs(value), abs(exact))


def read_faults(error: Exception) -> str:
    """What a document that cannot even be read as records is missing."""
    if isinstance(error, NeuralTraderError):
        return str(error)
    return f"a field is missing or makes no sense ({type(error).__name__}: {error})"
