"""The memory of a run: who has one, when its clock begins, and what it cannot remember."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from neural_trader.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from neural_trader.backtesting.account_settings import AccountSettings
    from neural_trader.backtesting.snapshots import Saving
    from neural_trader.market.bars import Series
    from neural_trader.memory.memory import Memory
    from neural_trader.memory.recorder import Recorder
    from neural_trader.strategy.base import Strategy
    from neural_trader.strategy.overlays import Overlay


@contextmanager
def remembering(
    strategy: Strategy,
    name: str,
    overlays: Sequence[Overlay],
    memory: str | Path | Memory | None,
    start_ns: int,
    *,
    run: dict[str, Any],
    account: AccountSettings | None = None,
    saving: Saving | None = None,
    as_of: int | None = None,
) -> Iterator[Recorder | None]:
    """A recorder of the cards of a run, which are written wholly when it ends well; None where nobody remembers.

    ``start_ns`` is when the clock of the run begins; ``run`` is what the run is, to which what it can know is added if
    it asks. ``as_of`` is a revision of the memory; it is then known as it was, and nothing is written.
    """
    is_asked = strategy.remembers or any(overlay.remembers for overlay in overlays)
    if memory is None and not is_asked:
        yield None
        return
    if saving is not None:
        raise UsageError("a memory is of whole runs; leave it out of one that is saved or goes on")
    _refuse_contracts(account)
    from neural_trader.memory.memory import Memory
    from neural_trader.memory.recorder import Recorder

    with ExitStack() as stack:
        if memory is None:
            memory = Path(stack.enter_context(TemporaryDirectory(prefix="neural-trader-"))) / "memory.sqlite"
        if isinstance(memory, Memory):
            opened = memory
            if as_of is not None:
                stack.callback(setattr, memory, "as_of", memory.as_of)
                memory.as_of = as_of
        else:
            opened = stack.enter_context(Memory(memory, as_of=as_of))
        recorder = Recorder(opened, name, strategy.parameters, start_ns)
        if is_asked:
            # What is remembered decides, so it is part of what the run was.
            run["memory"] = recorder.view.basis
        yield recorder
        recorder.finish()


def start_of(bars: Sequence[Series]) -> int:
    """When the clock of a run over bars begins."""
    return min((each.start_ns for each in bars), default=0)


def place_of_memory(memory: str | Path | Memory | None) -> dict[str, str]:
    """Where a run had its memory, as its origin tells it."""
    if memory is None:
        return {}
    from neural_trader.memory.places import public

    return {"memory": public(memory) if isinstance(memory, str | Path) else memory.place}


def _refuse_contracts(account: AccountSettings | None) -> None:
    """What a card says of profit is quantity times the way of the price, which is not so for every contract."""
    for symbol, each in () if account is None else account.instruments:
        if each.kind not in ("spot", "linear") or each.size != 1 or each.currency is not None:
            raise UsageError(
                f"a memory counts the profit of spot and linear contracts of one unit, in the account currency, which "
                f"{symbol} is not; leave out the memory"
            )
