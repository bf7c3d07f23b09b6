"""Canonical bytes of what a replay was given and of its orders (docs/book-rules.md section 11)."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence

from neural_trader.baseline.arithmetic import INT64_MIN
from neural_trader.baseline.contract import OnGrid
from neural_trader.baseline.instrument import BarsLike
from neural_trader.baseline.replay.orders import ReplayOrderRecord
from neural_trader.baseline.replay.sources import Source
from neural_trader.baseline.run_hash import digests_of_columns, encode_account, encode_order, encode_text
from neural_trader.baseline.terms import AccountTerms

_MORE = struct.Struct("<Bqq")
POST_ONLY, REDUCE_ONLY = 1, 2
MORE_RANKS = {"both": 0, "venue": 1 << 14, "here": 1 << 15}


def digest_replay_inputs(
    instruments: Sequence[OnGrid],
    sources: Sequence[Source],
    bars: Sequence[tuple[int, BarsLike]] = (),
    account: AccountTerms | None = None,
) -> bytes:
    """Digest of the instruments, of all records of all sources, of bars with their ranks, and of the account."""
    digest = hashlib.sha256()
    for each in instruments:
        steps = (each.tick.mantissa, each.tick.decimals, each.lot.mantissa, each.lot.decimals)
        digest.update(encode_text(each.symbol) + struct.pack("<qBqB", *steps))
    for source in sources:
        records = hashlib.sha256(b"".join(event.to_bytes() for event in source.events))
        digest.update(struct.pack("<Q", len(source.events)) + records.digest())
        count = len(source.ranks) + MORE_RANKS[source.role]
        digest.update(struct.pack(f"<H{len(source.ranks)}h", count, *source.ranks))
    for rank, columns in bars:
        digest.update(struct.pack("<Q", len(columns)) + digests_of_columns(columns) + struct.pack("<Hh", 1, rank))
    digest.update(encode_account(account))
    return digest.digest()


def encode_replay_order(order: ReplayOrderRecord) -> bytes:
    flags = POST_ONLY * order.post_only + REDUCE_ONLY * order.reduce_only
    accept_ns = INT64_MIN if order.accept_ns is None else order.accept_ns
    return encode_order(order) + _MORE.pack(flags, order.display, accept_ns)


def digest_replay_orders(orders: Iterable[ReplayOrderRecord]) -> bytes:
    return hashlib.sha256(b"".join(map(encode_replay_order, orders))).digest()
