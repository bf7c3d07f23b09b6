"""The bytes of a journal (docs/journal.md) in plain Python: written, and read up to the first that cannot be right."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

MAGIC = b"neural-trader journal 1\n"
FRAMES_PER_BLOCK = 256
WIDTHS = {"i8": 1, "u8": 1, "u32": 4, "i64": 8, "u64": 8, "i128": 16}
"""Bytes of an integer; all are little-endian, those that begin with i are in two's complement."""

_OF_ORDER = "i64 time_ns, u32 order"
_CODES = (
    "i8 side, u8 order_kind, u8 size_kind, u8 time_in_force, u8 flags, u8 given, u8 trail_kind, u8 stop_loss_trail_kind"
)
_PRICES = (
    "i64 size, i64 expire_ns, i64 limit, i64 stop, i64 trail, i64 display, i64 stop_loss, i64 stop_loss_trail, "
    "i64 take_profit"
)
LAYOUTS: dict[str, tuple[int, str]] = {
    "record": (1, "i64 time_ns, u32 source, u64 index"),
    "timer": (2, "i64 time_ns"),
    "submit": (16, f"{_OF_ORDER}, u32 instrument, {_CODES}, {_PRICES}"),
    "cancel": (17, _OF_ORDER),
    "amend": (18, f"{_OF_ORDER}, i64 limit, i64 quantity"),
    "set_timer": (19, "i64 time_ns, i64 at_ns"),
    "accepted": (32, _OF_ORDER),
    "ended": (33, f"{_OF_ORDER}, u8 state, u8 reason, i64 filled, i64 cancelled"),
    "fill": (
        34,
        f"{_OF_ORDER}, u32 instrument, i8 side, u8 maker, i64 quantity, i64 price, i128 fee, i64 venue_ns",
    ),
    "amended": (35, _OF_ORDER),
    "refused": (36, _OF_ORDER),
    "triggered": (37, _OF_ORDER),
    "sample": (48, "i64 time_ns, i128 equity"),
    "aborted": (64, "i64 time_ns"),
    "end": (65, "i64 time_ns"),
    "block": (66, ""),
}
"""The code of each kind of frame, and its integers in order."""
LAST = ("end", "aborted")
TEXT, HASHES = "aborted", ("end", "block")
"""Kinds with a text, or with a digest, behind their integers."""
FIELDS = {
    name: [(each.split()[1], each.split()[0]) for each in layout.split(", ") if each]
    for name, (_, layout) in LAYOUTS.items()
}
"""Name and type of the integers of each kind."""
_NAMES = {code: name for name, (code, _) in LAYOUTS.items()}


class Frame(NamedTuple):
    """One frame: its kind, its integers, and the bytes behind them."""

    name: str
    values: tuple[int, ...]
    tail: bytes = b""


class Tear(NamedTuple):
    """The first byte that cannot be right, and why."""

    byte: int
    reason: str


@dataclass
class Journal:
    """What a journal says: the text of its header, and its frames without the links of the chain."""

    header: str | None = None
    frames: list[Frame] = field(default_factory=list)
    tear: Tear | None = None


class _WrongError(Exception):
    """A frame that cannot be right."""


def encode(header: str, frames: Iterable[Frame]) -> bytes:
    """The bytes of a journal; a block ends after 256 frames and after the last one."""
    text = header.encode()
    head = MAGIC + struct.pack("<I", len(text)) + text
    chain = hashlib.sha256(head).digest()
    journal, block, count = bytearray(head + chain), bytearray(), 0
    for frame in frames:
        block += encode_frame(frame)
        count += 1
        if count == FRAMES_PER_BLOCK or frame.name in LAST:
            chain = hashlib.sha256(chain + block).digest()
            journal += block + encode_frame(Frame("block", (), chain))
            block.clear()
            count = 0
    return bytes(journal + block)


def encode_frame(frame: Frame) -> bytes:
    payload = b"".join(
        value.to_bytes(WIDTHS[width], "little", signed=width[0] == "i")
        for (_, width), value in zip(FIELDS[frame.name], frame.values, strict=True)
    )
    payload += frame.tail
    content = struct.pack("<IB", len(payload), LAYOUTS[frame.name][0]) + payload
    return content + struct.pack("<I", zlib.crc32(content))


def decode(data: bytes) -> Journal:
    """A journal from its bytes; where they tear, everything before is good."""
    journal = Journal()
    if not data.startswith(MAGIC):
        journal.tear = Tear(0, "it does not begin as a journal does")
        return journal
    head = len(MAGIC) + 4
    length = int.from_bytes(data[head - 4 : head], "little")
    at = head + length + 32
    if len(data) < head or len(data) < at:
        journal.tear = Tear(0, "the header is not whole")
        return journal
    chain = data[at - 32 : at]
    if hashlib.sha256(data[: at - 32]).digest() != chain:
        journal.tear = Tear(0, "the digest of the header is another")
        return journal
    try:
        journal.header = data[head : head + length].decode()
    except UnicodeDecodeError:
        journal.tear = Tear(0, "the header is no text")
        return journal
    _decode_frames(journal, data, at, chain)
    return journal


def _decode_frames(journal: Journal, data: bytes, at: int, chain: bytes) -> None:
    begin, in_block = at, 0
    while True:
        is_last = bool(in_block) and journal.frames[-1].name in LAST
        try:
            frame, length = _decode_frame(data, at, is_link=is_last or in_block == FRAMES_PER_BLOCK)
        except _WrongError as wrong:
            journal.tear = Tear(at, str(wrong))
            return
        if frame.name != "block":
            journal.frames.append(frame)
            at, in_block = at + length, in_block + 1
            continue
        chain = hashlib.sha256(chain + data[begin:at]).digest()
        if frame.tail != chain:
            del journal.frames[len(journal.frames) - in_block :]
            journal.tear = Tear(begin, "the chain does not bind this block")
            return
        begin = at = at + length
        in_block = 0
        if is_last:
            if at != len(data):
                journal.tear = Tear(at, "something follows the end")
            return


def _decode_frame(data: bytes, at: int, *, is_link: bool) -> tuple[Frame, int]:
    """The frame that begins at a byte, and its length; ``is_link`` says whether a link of the chain is due."""
    if at == len(data):
        raise _WrongError("it breaks off here")
    if at + 4 > len(data):
        raise _WrongError("the frame is not whole")
    end = at + int.from_bytes(data[at : at + 4], "little") + 9
    if end > len(data):
        raise _WrongError("the frame is not whole")
    content = data[at : end - 4]
    if zlib.crc32(content) != int.from_bytes(data[end - 4 : end], "little"):
        raise _WrongError("the checksum of the frame is another")
    name = _NAMES.get(content[4])
    if name is None:
        raise _WrongError("there are no frames of this kind")
    frame = _decode_payload(name, content[5:])
    if (name == "block") != is_link:
        raise _WrongError("a link of the chain is missing, or one too many")
    return frame, end - at


def _decode_payload(name: str, payload: bytes) -> Frame:
    values, at = [], 0
    for _, width in FIELDS[name]:
        own = payload[at : at + WIDTHS[width]]
        at += WIDTHS[width]
        values.append(int.from_bytes(own, "little", signed=width[0] == "i"))
    tail = payload[at:]
    try:
        fits = len(payload) >= at and (len(tail) == 32 if name in HASHES else name == TEXT or not tail)
        tail.decode("utf-8" if name == TEXT else "latin-1")
    except UnicodeDecodeError:
        fits = False
    if not fits:
        raise _WrongError("the frame has another length")
    return Frame(name, tuple(values), tail)
