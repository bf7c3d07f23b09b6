"""Journals of random sessions, and what can be done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from neural_trader.baseline.journal import MAGIC, Frame, Journal, Tear, decode, encode_frame
from neural_trader.errors import EngineError
from replay.random_sessions import Program, Session
from replay.scenario import engines_named

HEADER = '{"a":1}'
FIRST = len(MAGIC) + 4 + len(HEADER) + 32
"""The first byte behind the header."""


def fresh(session: Session) -> Any:
    """A replay of a session that has not begun."""
    return engines_named("rust").replay(session.instruments, session.sources, **session.config)


def run_hash(replay: Any) -> str:
    found: str = replay.digests("0.0.0", HEADER)["run"]
    return found


def kept(session: Session, flawed: Callable[[Program], None] | None = None) -> bytes:
    """The journal of a random session, whatever its end; ``flawed`` may change the program first."""
    from neural_trader._native import abort_journal, end_journal, start_journal

    replay, content, program = fresh(session), bytearray(), Program(session)
    if flawed is not None:
        flawed(program)
    start_journal(replay, HEADER, content.extend)
    try:
        program.start(replay)
        replay.run(program, session.wants)
    except (EngineError, ZeroDivisionError) as error:
        abort_journal(replay, str(error))
    else:
        end_journal(replay, run_hash(replay))
    return bytes(content)


def played_again(session: Session, content: bytes) -> tuple[int, int, str, str] | None:
    """The first difference that a fresh replay of the session makes to a journal, that of the run hash included."""
    from neural_trader._native import check_journal

    replay = fresh(session)
    found = check_journal(replay, np.frombuffer(content, np.uint8), wants=session.wants, trades=False, books=False)
    frames = decode(content).frames
    if found is None and frames[-1].name == "end" and frames[-1].tail.hex() != run_hash(replay):
        return len(frames), replay.now_ns, f"end {frames[-1].tail.hex()}", f"end {run_hash(replay)}"
    return found


def decoded(content: bytes) -> Journal:
    """A journal as both decoders read it, which must be alike."""
    from neural_trader._native import read_journal

    plain = decode(content)
    header, frames, tear = read_journal(np.frombuffer(content, np.uint8))
    rust = Journal(header, [Frame(*frame) for frame in frames], Tear(*tear) if tear else None)
    assert rust == plain
    return plain


def scanned(content: bytes) -> tuple[int, int | None]:
    """How many frames of a journal are good, and the byte at which it tore."""
    from neural_trader._native import scan_journal

    _, frames, _, _, tear = scan_journal(np.frombuffer(content, np.uint8))
    return frames, tear[0] if tear else None


def places(frames: Iterable[Frame], per_block: int = 256) -> list[int]:
    """Where each frame and each link of the chain begins, and where the last one ends."""
    at = [FIRST]
    for number, frame in enumerate(frames, 1):
        at.append(at[-1] + len(encode_frame(frame)))
        if number % per_block == 0 or frame.name in ("end", "aborted"):
            at.append(at[-1] + len(encode_frame(Frame("block", (), bytes(32)))))
    return at
