"""The file of anchors: one line of JSON for each run, with all that it takes to run it again and to compare."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neural_trader.cli.verification import check_alone, run_again
from neural_trader.errors import DataError, VerificationError

HEAD = {"format": 1, "written by": "neural-trader anchors add"}
_OF_DATA = ("symbol", "origin", "rows", "start", "end")


@dataclass(frozen=True)
class Anchor:
    """A run whose outcome is locked."""

    name: str
    hash: str
    version: str
    """That which the hash binds; what is compared does not depend on it."""
    digests: dict[str, str]
    run: dict[str, Any]
    origin: dict[str, Any]
    """With paths as seen from the folder of the anchors."""
    data: list[dict[str, Any]]

    def document(self) -> dict[str, Any]:
        """The anchor as plain values."""
        return dataclasses.asdict(self)

    @property
    def strategy_text(self) -> str:
        """Strategy and parameters in a line."""
        given = ", ".join(f"{name}={value}" for name, value in self.run["parameters"].items())
        return f"{self.run['strategy']} {given}".rstrip()

    @property
    def data_text(self) -> str:
        """Where the data comes from, in a word."""
        seed = self.run.get("seed")
        return str(self.origin.get("data") or (f"seed {seed}" if seed is not None else "recording"))


def anchor_of(document: dict[str, Any], name: str, report: Path, file: Path) -> Anchor:
    """The anchor of a report; VerificationError if its own figures contradict it, DataError if it cannot be rerun."""
    failed = [finding for finding in check_alone(document) if finding.state == "FAIL"]
    if failed:
        raise VerificationError(f"{report}: does not verify: {failed[0].name}: {failed[0].text}")
    origin = document["origin"]
    if any(each["origin"] == "memory" for each in document["data"]):
        raise DataError(f"{report}: its bars were handed over in memory, so it cannot be run again; run it on a file")
    return Anchor(
        name=name,
        hash=document["hash"],
        version=document["version"],
        digests=document["digests"],
        run=document["run"],
        origin=_moved(origin, lambda path: Path(os.path.relpath(path, file.absolute().parent)).as_posix()),
        data=[{key: each[key] for key in _OF_DATA} for each in document["data"]],
    )


def encoded(held: Iterable[Anchor]) -> str:
    """The text of the file: a line about the format, then one for each anchor, by name."""
    lines = [HEAD, *(anchor.document() for anchor in sorted(held, key=lambda anchor: anchor.name))]
    return "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines)


def read_anchors(file: Path) -> list[Anchor]:
    """The anchors of a file; DataError where there is none, or where it is damaged or newer."""
    try:
        head, *lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        if head["format"] > HEAD["format"]:
            raise DataError(f"{file}: is of a newer neural-trader (format {head['format']}); update")
        return [Anchor(**line) for line in lines]
    except FileNotFoundError:
        raise DataError(f"{file}: no anchors here; `neural-trader anchors add REPORT` makes the file") from None
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{file}: is no file of anchors, or is damaged ({type(error).__name__}: {error})") from error


def difference(anchor: Anchor, file: Path) -> str | None:
    """Run an anchor again: what is otherwise first, in words; None if nothing is."""
    folder = file.absolute().parent
    origin = _moved(anchor.origin, lambda path: str(folder / path))
    document = {**anchor.document(), "origin": origin, "benchmark": None}
    result = run_again(document)
    for name in ("inputs", "parameters", "orders", "fills", "postings"):
        was, now = anchor.digests[name], result.digests[name]
        if was != now:
            return f"other {name}: {was[:12]}... is locked, now {now[:12]}...{_hint(anchor, result.origin)}"
    same = dataclasses.replace(result, version=anchor.version)
    return None if same.hash == anchor.hash else f"hash {anchor.hash[:12]}... is locked, now {same.hash[:12]}..."


def _hint(anchor: Anchor, origin: dict[str, Any]) -> str:
    changed = anchor.origin.get("source_sha256") != origin.get("source_sha256")
    return " (its source file has changed)" if changed else ""


def _moved(origin: dict[str, Any], moved: Any) -> dict[str, Any]:
    """Where strategy and data came from, with every path that is one seen from elsewhere."""
    found = dict(origin)
    data, strategy, files = origin.get("data"), origin.get("strategy"), origin.get("files")
    if data is not None and not data.startswith("catalog:"):
        found["data"] = moved(data)
    if files:
        found["files"] = [moved(path) for path in files] if isinstance(files, list) else moved(files)
    if strategy is not None and ".py" in strategy:
        path, colon, name = strategy.rpartition(":")
        is_path = colon and path.endswith(".py")
        found["strategy"] = f"{moved(path)}:{name}" if is_path else moved(strategy)
    return found
