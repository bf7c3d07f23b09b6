"""All benches, or the named ones: python -m benches [cross features market-data ...] [--bars N] [--json] [--publish].

It needs the libraries of the tests (`npm test` installs them), builds the release wheel of this checkout into an
environment of its own, and installs the other packages beside it; those that cannot be had are skipped with a notice.
`--publish` writes the tables of named benches into their pages, and all of them into benches/results.md and the README.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benches import callbacks, cross, features, market_data, memory, replay, solver, starts, sweep
from benches.pages import put
from benches.places import SCRIPTS, release

BENCHES = {
    "cross": cross.run,
    "callbacks": callbacks.run,
    "features": features.run,
    "starts": starts.run,
    "sweep": sweep.run,
    "market-data": market_data.run,
    "replay": replay.run,
    "solver": solver.run,
    "memory": memory.run,
}
TINY_BARS = 2_000
ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benches" / "results.md"
README = ROOT / "README.md"
PAGES = {"solver": ROOT / "docs" / "solvers.md"}
"""Benches whose tables stand on a page of their own."""


def main() -> int:
    """Run the benches and print their tables."""
    options = _options()
    bars, rounds = (TINY_BARS, 2) if options.tiny else (options.bars, options.rounds)
    home = Path(sys.executable) if options.tiny else release()
    peers = not options.tiny or os.environ.get("NT_PEERS") == "require"
    figures: dict[str, Any] = {"machine": _machine(), "bars": bars, "rounds": rounds}
    profile = "this interpreter, whatever its profile" if options.tiny else "a release wheel of this checkout"
    where = f"{figures['machine']}. neural-trader runs from {profile}."
    regime = (
        f"{where} Times are the best and the median of up to {rounds} repetitions, all contestants in turns, memory and"
        " caches warm; *takes* compares the best, per item, with the row that has 1."
    )
    parts = {"": f"# Benches\n\n{regime}"}
    with tempfile.TemporaryDirectory() as market:
        subprocess.run([str(home), str(SCRIPTS / "market.py"), str(bars), market], check=True)
        for name in options.names or BENCHES:
            figures[name], parts[name] = BENCHES[name](home, Path(market), bars, rounds, peers=peers)
    text = "\n\n".join(parts.values()) + "\n"
    if options.publish:
        for name in PAGES.keys() & parts.keys():
            _, _, untitled = parts[name].partition("\n\n")
            put(PAGES[name], f"{name} bench", f"{where} {untitled}\n")
        if not options.names:
            publish(text)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n" if options.json else text)
    return 0


def publish(text: str) -> None:
    """Keep the tables, and copy machine and first comparison to the README, so that no figure there is typed."""
    RESULTS.write_text(text, encoding="utf-8")
    sections = text.split("\n## ")
    machine = sections[0].split("\n\n", 1)[1].strip()
    cross = next(section for section in sections if section.startswith("Moving-average cross")).split("\n", 1)
    put(README, "benches", f"{machine}\n\n**{cross[0]}.** {cross[1].strip()}\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--bars", type=int, default=1_000_000, help="bars of the market (1,000,000)")
    parser.add_argument("--rounds", type=int, default=15, help="repetitions of what is fast (15)")
    parser.add_argument("--tiny", action="store_true", help="a few bars in this interpreter, without other packages")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--publish", action="store_true", help="keep the tables on their pages")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHES]:
        parser.error(f"no bench {unknown[0]!r}; there are {', '.join(BENCHES)}")
    return options


def _machine() -> str:
    processor = platform.processor() or platform.machine()
    known = Path("/proc/cpuinfo")
    if known.exists():
        lines = known.read_text(encoding="utf-8").splitlines()
        processor = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), processor)
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


sys.exit(main())
