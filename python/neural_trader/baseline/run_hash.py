"""Canonical bytes of a run and the SHA-256 digests over them (docs/fill-rules.md section 10)."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neural_trader.baseline.instrument import BarsLike
from neural_trader.baseline.records import FillRecord, OrderRecord, PostingRecord
from neural_trader.baseline.terms import AccountTerms

PREFIX = b"neural-trader run 1\n"
COLUMNS = ("open_ns", "close_ns", "open", "high", "low", "close", "volume", "spread")
ABSENT_COLUMN = bytes(32)

_ORDER = struct.Struct("<IIIbBB8qBBq")
_FILL_HEAD = struct.Struct("<IIbqqq")
_FILL_TAIL = struct.Struct("<Bq")
_POSTING_HEAD = struct.Struct("<IBII")


def encode_int128(value: int) -> bytes:
    return value.to_bytes(16, "little", signed=True)


def encode_text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<I", len(encoded)) + encoded


def encode_order(order: OrderRecord) -> bytes:
    return _ORDER.pack(
        order.id,
        order.parent,
        order.instrument,
        order.side,
        order.kind,
        order.time_in_force,
        order.expire_ns,
        order.quantity,
        order.limit,
        order.stop,
        order.trail_ticks,
        order.trail_ppb,
        order.filled,
        order.cancelled,
        order.state,
        order.reason,
        order.submit_ns,
    )


def encode_fill(fill: FillRecord) -> bytes:
    head = _FILL_HEAD.pack(fill.order, fill.instrument, fill.side, fill.quantity, fill.price, fill.reference)
    tail = _FILL_TAIL.pack(fill.maker, fill.time_ns)
    return head + encode_int128(fill.fee) + encode_int128(fill.slippage) + tail


def encode_posting(posting: PostingRecord) -> bytes:
    head = _POSTING_HEAD.pack(posting.transaction, posting.account, posting.instrument, posting.unit)
    return head + encode_int128(posting.amount)


def digest_inputs(instruments: Sequence[BarsLike], account: AccountTerms | None = None) -> bytes:
    """Digest of the bars and the account; each column is hashed by itself so that it can be hashed where it lies."""
    digest = hashlib.sha256()
    for bars in instruments:
        digest.update(encode_text(bars.symbol))
        digest.update(
            struct.pack("<qBqB", bars.tick.mantissa, bars.tick.decimals, bars.lot.mantissa, bars.lot.decimals)
        )
        digest.update(struct.pack("<Q", len(bars)) + digests_of_columns(bars))
    digest.update(encode_account(account))
    return digest.digest()


def digests_of_columns(bars: BarsLike) -> bytes:
    columns = [getattr(bars, name) for name in COLUMNS]
    return b"".join(ABSENT_COLUMN if column is None else digest_column(column) for column in columns)


def encode_account(account: AccountTerms | None) -> bytes:
    """What an account is beyond the usual; nothing where it is usual, so that usual runs need not know of it."""
    if account is None or account == AccountTerms():
        return b""
    parts = [encode_text("account"), encode_text(account.kind), struct.pack("<I", len(account.contracts))]
    for contract in account.contracts:
        parts += [encode_text(contract.kind), struct.pack("<IqBqq", *contract[1:])]
    parts.append(struct.pack("<I", len(account.currencies)))
    for currency in account.currencies:
        numbers = struct.pack("<qi", currency.rate_ppb, currency.rate_instrument)
        parts += [encode_text(currency.code), encode_int128(currency.deposit), numbers]
    parts.append(struct.pack("<II", len(account.tiers), account.start_tier))
    for tier in account.tiers:
        parts += [encode_int128(tier.volume), struct.pack("<qq", tier.maker_ppb, tier.taker_ppb)]
    parts.append(struct.pack("<qqQ", account.interest_ppb, account.borrow_ppb, len(account.funding)))
    parts += [struct.pack("<qIqq", *row) for row in account.funding]
    return b"".join(parts)


def digest_column(column: Iterable[Any]) -> bytes:
    values = [int(value) for value in column]
    return hashlib.sha256(struct.pack(f"<{len(values)}q", *values)).digest()


def digest_parameters(parameters: Mapping[str, Any]) -> bytes:
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).digest()


def digest_orders(orders: Iterable[OrderRecord]) -> bytes:
    return hashlib.sha256(b"".join(map(encode_order, orders))).digest()


def digest_fills(fills: Iterable[FillRecord]) -> bytes:
    return hashlib.sha256(b"".join(map(encode_fill, fills))).digest()


def digest_postings(postings: Iterable[PostingRecord]) -> bytes:
    return hashlib.sha256(b"".join(map(encode_posting, postings))).digest()


def run_hash(version: str, *, inputs: bytes, parameters: bytes, orders: bytes, fills: bytes, postings: bytes) -> bytes:
    """The hash that names a run: equal on every machine if and only if everything that it binds is equal."""
    parts = (PREFIX, encode_text(version), inputs, parameters, orders, fills, postings)
    return hashlib.sha256(b"".join(parts)).digest()
