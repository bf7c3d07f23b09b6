"""The checks of a report: first what its own figures imply, then what a second run gives."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from neural_trader.baseline import run_hash
from neural_trader.cli.recorded import OF_REPLAYS, Recorded, fee_of, is_replay, read_faults, recorded_of, slippage_of
from neural_trader.errors import DataError, NeuralTraderError, StrategyLoadError, UsageError

if TYPE_CHECKING:
    from neural_trader.backtesting.result import Result
    from neural_trader.market.recordings import Recording
    from neural_trader.memory import Memory

SECTIONS = ("inputs", "parameters", "orders", "fills", "postings")
RECORDS = ("orders", "fills", "trades")
FIGURES = ("stats", "undefined", "benchmark", "equity", "fill_quality", "ladder", "figures")
ALL = 2**40
TOLERANCE = 1e-9
"""Statistics are sums of floats, whose last bits depend on the machine."""


class Finding(NamedTuple):
    """One check; ``state`` is PASS, FAIL or NOTE (nothing is wrong, but it should be known)."""

    name: str
    state: str
    text: str


def check_alone(document: dict[str, Any]) -> list[Finding]:
    """What the document implies about itself, without running anything."""
    try:
        return _alone(recorded_of(document))
    except (NeuralTraderError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        return [Finding("document", "FAIL", read_faults(error))]


def _alone(recorded: Recorded) -> list[Finding]:
    given = recorded.document["digests"]
    findings = [_compared("parameters", recorded.parameters_digest(), given["parameters"])]
    reason = recorded.cannot_digest_orders()
    if reason is None:
        findings.append(_compared("orders", recorded.orders_digest(), given["orders"]))
    else:
        findings.append(Finding("orders", "NOTE", f"not checked from the document: {reason}"))
    reason = recorded.cannot_digest_fills()
    if reason is None:
        fills = recorded.fills()
        findings.append(_compared("fills", run_hash.digest_fills(fills).hex(), given["fills"]))
        postings = run_hash.digest_postings(recorded.postings(fills)).hex()
        findings.append(_compared("postings", postings, given["postings"]))
    else:
        findings.append(Finding("fills", "NOTE", f"not checked from the document: {reason}"))
    findings.append(_compared("hash", recorded.hash(), recorded.document["hash"]))
    return findings


def _compared(name: str, found: str, given: str) -> Finding:
    if found == given:
        return Finding(name, "PASS", "the digest follows from the figures" if name != "hash" else "binds the digests")
    return Finding(name, "FAIL", f"the figures give {found[:12]}..., the report says {str(given)[:12]}...")


def check_rerun(
    document: dict[str, Any],
    *,
    data: str | None,
    strategy: str | None,
    progress: Callable[[float], None] | None,
) -> list[Finding]:
    """Run it again from what was recorded, and compare."""
    findings = []
    result = run_again(document, data=data, strategy=strategy, progress=progress)
    before, now = document["origin"].get("source_sha256"), result.origin.get("source_sha256")
    if before != now:
        findings.append(Finding("strategy", "NOTE", "its source file has changed since the report was written"))
    if document["version"] != result.version:
        findings.append(Finding("version", "NOTE", f"the report is of {document['version']}, this is {result.version}"))
    # The hash covers the version, which may differ although everything that was computed is the same.
    same = dataclasses.replace(result, version=document["version"])
    return findings + list(_differences(document, same))


def run_again(
    document: dict[str, Any],
    *,
    data: str | None = None,
    strategy: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Result:
    """The run that a document describes, made once more from where its strategy and data are now."""
    from neural_trader.strategy.library import LIBRARY

    run, origin = document["run"], document["origin"]
    reference = strategy or origin.get("strategy") or (run["strategy"] if run["strategy"] in LIBRARY else None)
    if reference is None:
        raise StrategyLoadError(
            f"the strategy {run['strategy']} was given as a class in Python; say where it is with --strategy "
            f"file.py:{run['strategy']}, or use --no-rerun"
        )
    if is_replay(run):
        return _replayed(document, reference, data, progress)
    return _backtested(document, reference, data, progress)


def _backtested(
    document: dict[str, Any], strategy: str, data: str | None, progress: Callable[[float], None] | None
) -> Result:
    from neural_trader.backtesting.run import backtest
    from neural_trader.cli.requested import overlay_of_class

    run, origin = document["run"], document["origin"]
    if data is None and origin.get("data") is None and any(each["origin"] != "synthetic" for each in document["data"]):
        raise DataError("the bars were handed over in memory; say where they are with --data, or use --no-rerun")
    settings = ("cash", "fill", "limit", "leverage", "volume_cap", "close_at_end", "currency", "like")
    return backtest(
        strategy,
        data or origin.get("data"),
        parameters=run["parameters"],
        overlays=[overlay_of_class(each) for each in run["overlays"]],
        symbols=origin.get("symbols"),
        start=origin.get("start"),
        end=origin.get("end"),
        fee=fee_of(run),
        slippage=slippage_of(run),
        seed=run["seed"] if run["seed"] is not None else 0,
        benchmark=document["benchmark"] is not None,
        account=run.get("account"),
        trials="off",
        look_ahead=False,
        progress=progress,
        memory=_memory_of(run, origin),
        **{name: run[name] for name in settings},
    )


def _memory_of(run: dict[str, Any], origin: dict[str, Any]) -> Memory | None:
    """The memory of a run as it was when the run began; none where memory decided nothing, or began empty."""
    basis = run.get("memory")
    if basis is None or not basis["cards"]:
        return None
    from neural_trader.memory import Memory

    return Memory(origin["memory"], create=False, as_of=basis["revision"])


def _replayed(
    document: dict[str, Any], strategy: str, data: str | None, progress: Callable[[float], None] | None
) -> Result:
    from neural_trader.backtesting.replay import replay

    run, origin = document["run"], document["origin"]
    return replay(
        strategy,
        [*_recordings(origin, data), *_files_of_bars(document)],
        parameters=run["parameters"],
        symbols=origin.get("symbols"),
        fee=fee_of(run),
        ladder="ladder" in document,
        account=run.get("account"),
        ladder_bar=origin.get("ladder_bar") if "ladder" in document else None,
        benchmark=document["benchmark"] is not None,
        progress=progress,
        slippage=slippage_of(run) if "slippage" in run else None,
        **{name: run[name] for name in OF_REPLAYS},
        impact=run.get("impact"),
        memory=_memory_of(run, origin),
    )


def _files_of_bars(document: dict[str, Any]) -> list[str]:
    """The files of the bars that were played beside recordings."""
    names = [each["bars"] for each in document["origin"].get("recordings", ()) if "bars" in each]
    if "slippage" in document["run"] and not names:
        raise DataError("the bars were handed over in memory; use --no-rerun")
    return names


def _recordings(origin: dict[str, Any], data: str | None) -> list[Recording]:
    """What a replay played, from where it is now, or made again."""
    from neural_trader.market.catalog.references import is_reference
    from neural_trader.market.record_files import SUFFIX, recordings_again, recordings_of

    if data is not None:
        if "recordings" in origin:
            raise UsageError("--data names one file, and the run had several; move them back, or use --no-rerun")
        venue = origin.get("venue")
        is_of_records = data.endswith(SUFFIX) or is_reference(data)
        if venue is None and not is_of_records:
            raise UsageError(f"{data}: the report names no venue; give a file of records (*{SUFFIX}), or --no-rerun")
        return recordings_of([data], None if is_of_records else venue)
    found = recordings_again(origin)
    if not found:
        raise DataError("the records were handed over in memory; give a file of them with --data, or use --no-rerun")
    return found


def _differences(document: dict[str, Any], again: Result) -> Iterator[Finding]:
    """What the second run has otherwise: digests first, with the first row that explains them, then statistics."""
    from neural_trader.report.document import to_document

    extents = {name: document["tables"][name] for name in RECORDS}
    # A page holds only the first rows of a long table.
    rows = {name: each["given"] if each["given"] < each["total"] else ALL for name, each in extents.items()}
    now = to_document(again, rows=rows)
    different = [name for name in SECTIONS if document["digests"].get(name) != now["digests"][name]]
    if different:
        yield Finding("rerun", "FAIL", f"other {different[0]}: {_explained(different[0], document, now)}")
        return
    yield Finding("rerun", "PASS", f"the same {', '.join(SECTIONS[:-1])} and {SECTIONS[-1]}")
    for name in (*RECORDS, *FIGURES):
        found = first_difference(document.get(name), now.get(name), name)
        if found is not None:
            yield Finding(name, "FAIL", found)
            return
    yield Finding("figures", "PASS", "the same tables, statistics, benchmark and equity curve")
    if document["hash"] != again.hash:
        yield Finding("hash", "FAIL", f"{document['hash'][:12]}... in the report, {again.hash[:12]}... now")


def _explained(section: str, document: dict[str, Any], now: dict[str, Any]) -> str:
    """The first difference that a reader can look at, for a section whose digest differs."""
    if section == "inputs":
        found = first_difference(document["data"], now["data"], "data")
        what = "records" if is_replay(document["run"]) else "prices, volumes or times of the bars"
        return found or f"{what} have changed since"
    if section == "parameters":
        return first_difference(document["run"], now["run"], "run") or "the parameters"
    for name in RECORDS:
        found = first_difference(document[name], now[name], name)
        if found is not None:
            return found
    return "nothing that the tables show; the report's digest was changed, or its page leaves these rows out"


def first_difference(before: Any, now: Any, where: str) -> str | None:
    """The first place at which two documents differ, in words; floats may differ in their last bits."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*now, *(key for key in before if key not in now)]:
            found = first_difference(before.get(key), now.get(key), f"{where}.{key}")
            if found is not None:
                return found
        return None
    if isinstance(before, list) and isinstance(now, list):
        for at, (one, other) in enumerate(zip(before, now, strict=False)):
            found = first_difference(one, other, f"{where}[{at}]")
            if found is not None:
                return found
        if len(before) != len(now):
            return f"{where} has {len(before)} entries in the report, {len(now)} now"
        return None
    if _same(before, now):
        return None
    return f"{where} is {_shown(before)} in the report, {_shown(now)} now"


def _same(before: Any, now: Any) -> bool:
    numbers = (int, float)
    if isinstance(before, bool) or isinstance(now, bool):
        return before is now
    if isinstance(before, numbers) and isinstance(now, numbers):
        return math.isclose(before, now, rel_tol=TOLERANCE, abs_tol=TOLERANCE * TOLERANCE)
    return bool(before == now)


def _shown(value: Any) -> str:
    return "absent" if value is None else str(value)
