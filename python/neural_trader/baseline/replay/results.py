"""What is left after a replay: orders, fills, postings, samples, and the digests of them."""

from __future__ import annotations

import hashlib
from typing import Any

from neural_trader.baseline.ledger import Ledger
from neural_trader.baseline.orders import Order
from neural_trader.baseline.records import FillRecord, OrderRecord, PostingRecord, TradeRecord
from neural_trader.baseline.replay.digests import digest_replay_inputs, digest_replay_orders
from neural_trader.baseline.replay.execution import Execution
from neural_trader.baseline.replay.known import Known
from neural_trader.baseline.replay.market import Grid
from neural_trader.baseline.replay.orders import ReplayOrderRecord
from neural_trader.baseline.replay.samples import Samples
from neural_trader.baseline.replay.sources import Source
from neural_trader.baseline.run_hash import digest_fills, digest_postings, run_hash
from neural_trader.baseline.trades import match_trades


class ReplayResults:
    """The records of a run, read from the parts that keep them."""

    _execution: Execution
    _ledger: Ledger
    _samples: Samples
    _names: Known
    _grids: list[Grid]
    _sources: list[Source]
    _columns: list[tuple[int, Any]]
    _markets: list[Any]

    @property
    def orders(self) -> list[ReplayOrderRecord]:
        return [order.record() for order in self._execution.orders]

    @property
    def fills(self) -> list[FillRecord]:
        return self._execution.fills

    @property
    def postings(self) -> list[PostingRecord]:
        return self._ledger.postings

    @property
    def equity_samples(self) -> list[tuple[int, int]]:
        """(time, equity) of each sample."""
        return self._samples.equity

    @property
    def touches(self) -> list[tuple[int, int]]:
        """Best bid and ask at each sample, instrument by instrument, 0 where there is none."""
        return self._samples.touches

    @property
    def halted(self) -> bool:
        """Whether the run was ruined."""
        return self._execution.is_halted

    def equity(self) -> int:
        """Cash and positions at the venue, as they stand."""
        return self._execution.equity()

    @property
    def liquidations(self) -> list[int]:
        """Fills by which positions were liquidated."""
        return self._execution.liquidations

    def trades(self) -> list[TradeRecord]:
        account, last = self._execution.account, []
        if account.terms.currencies:
            last = [account.rate(market.contract.currency) for market in self._markets]
        return match_trades(self.fills, self._markets, self._execution.fill_rates, last)

    @property
    def bar_orders(self) -> list[OrderRecord]:
        """Orders as a run of bars alone records them."""
        return [Order.record(order) for order in self._execution.orders]

    def digests(self, version: str, parameters_json: str) -> dict[str, str]:
        """Digests of inputs, parameters, orders, fills and postings, and the run hash over them, in hexadecimal."""
        parts = {
            "inputs": digest_replay_inputs(self._grids, self._sources, self._columns, self._execution.account.terms),
            "parameters": hashlib.sha256(parameters_json.encode()).digest(),
            "orders": digest_replay_orders(self.orders),
            "fills": digest_fills(self.fills),
            "postings": digest_postings(self.postings),
        }
        return {name: digest.hex() for name, digest in (parts | {"run": run_hash(version, **parts)}).items()}

    @property
    def known_orders(self) -> list[int]:
        """The ids of the orders that are known here, by their numbers here from 1."""
        return self._names.orders

    @property
    def known_fills(self) -> list[int]:
        """The fills that have been told here, by their numbers here from 0."""
        return self._names.fills
