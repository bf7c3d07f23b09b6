"""Playing a journal again: its decisions against the recorded market, through the engine, event by event."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from neural_trader._native import check_journal, inputs_digest
from neural_trader.backtesting.account_settings import AccountSettings
from neural_trader.backtesting.journal import Journal, open_journal
from neural_trader.backtesting.replay import engine_of
from neural_trader.backtesting.replay_inputs import joined
from neural_trader.backtesting.replay_settings import ReplaySettings
from neural_trader.backtesting.result import canonical
from neural_trader.backtesting.settings import Fee
from neural_trader.errors import DataError
from neural_trader.market.catalog.references import is_reference
from neural_trader.market.record_files import SUFFIX, files_of, recordings_again, recordings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neural_trader._native import Replay
    from neural_trader.market.recordings import Recording


class Difference(NamedTuple):
    """The first event that did not come as it was recorded; frames are counted from 1."""

    frame: int
    time_ns: int
    recorded: str
    came: str


@dataclass(frozen=True)
class Checked:
    """A journal, and the first difference that playing it again made, if there was one."""

    journal: Journal
    difference: Difference | None


def check(
    path: Path,
    data: Sequence[Path] | None = None,
    venue: str | None = None,
    *,
    progress: Callable[[float], None] | None = None,
) -> Checked:
    """Play the decisions of a journal again, and compare every event and the run hash; no strategy is needed.

    ``data`` and ``venue`` say where the recording is now; without them it is taken from where it was, and a synthetic
    one is made again. DataError if the journal is torn, or if the recording is not there or another one.
    """
    journal = open_journal(path)
    try:
        engine, records = _engine(journal, data, venue)
        wants = journal.header["wants"]
        kinds = ["quote"] * ("on_quote" in wants)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise DataError(f"{path}: its header makes no sense ({type(error).__name__}: {error})") from None
    engine.begin()
    told = None if progress is None else lambda played: progress(played / max(1, records))
    found = check_journal(
        engine, journal.content, wants=kinds, trades="on_trade" in wants, books="on_book" in wants, progress=told
    )
    difference = None if found is None else Difference(*found)
    if difference is None and journal.run_hash is not None:
        run_hash = engine.digests(journal.header["version"], canonical(journal.header["run"]))["run"]
        if run_hash != journal.run_hash:
            difference = Difference(journal.frames, engine.now_ns, f"end {journal.run_hash}", f"end {run_hash}")
    return Checked(journal, difference)


def _engine(journal: Journal, data: Sequence[Path] | None, venue: str | None) -> tuple[Replay, int]:
    """A replay of the recordings of a journal, by its settings, and how many records it has."""
    header = journal.header
    recordings = _recordings(journal, data, venue)
    where = " + ".join(each.source for each in recordings) or "the recording"
    try:
        inputs = joined(recordings, [symbol for symbol, *_ in header["instruments"]])
    except DataError as error:
        raise DataError(f"{error}; {journal.path} is of another recording") from None
    run = header["run"]
    engine = engine_of(inputs, _settings(run), {name: run[name] for name in ("depth", "trades")})
    found = inputs_digest(engine)
    if found != header["inputs"]:
        raise DataError(
            f"{where} is not the recording of {journal.path}: its digest is {found[:12]}..., "
            f"the journal has {header['inputs'][:12]}..."
        )
    return engine, len(inputs)


def _recordings(journal: Journal, data: Sequence[Path] | None, venue: str | None) -> list[Recording]:
    recipe = journal.header["recording"]
    if data:
        holds_records = len(data) == 1 and data[0].suffix == SUFFIX
        return recordings_of(list(data), venue if venue or holds_records else recipe.get("venue"))
    missing = [name for name in files_of(recipe) if not is_reference(name) and not Path(name).is_file()]
    if missing:
        raise DataError(f"{journal.path}: its recording {missing[0]} is not there; say where it is now: DATA --venue V")
    found = recordings_again(recipe)
    if not found:
        raise DataError(f"{journal.path}: its records came from memory; name a file of them: DATA --venue V")
    return found


def _settings(run: dict[str, Any]) -> ReplaySettings:
    names = ("cash", "leverage", "currency", "latency", "feed", "queue", "whole", "self_trade", "sample")
    fee = Fee(*(Decimal(run["fee"][name]) for name in ("maker", "taker", "fixed")))
    account = AccountSettings.of(run.get("account"))
    given = {name: run[name] for name in names}
    return ReplaySettings.of(fee=fee, account=account, impact=run.get("impact"), **given)
