"""The tables of docs/peer-parity.md: how many random markets are equal, and how many fall under each named deviation.

``PYTHONPATH=tests python -m peers.table`` prints them, with ``--write`` it puts them into the document.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from peers import campaign
from peers.deviations import BOUNDARY, FIXED_PART, RUIN
from peers.environments import PEERS, ask
from peers.hftbacktest_campaign import of_hftbacktest
from peers.like_hftbacktest import LAST_PART, NO_BOOK, ZOMBIE

if TYPE_CHECKING:
    from peers.campaign import Campaign

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "peer-parity.md"
NAMES = {
    "backtesting.py": (FIXED_PART, RUIN, BOUNDARY),
    "vectorbt": (),
    "hftbacktest": (LAST_PART, ZOMBIE, NO_BOOK, BOUNDARY),
}
WORDS = {"hftbacktest": "fills"}
PLAYS = {
    "backtesting.py": campaign.of_backtesting_py,
    "vectorbt": campaign.of_vectorbt,
    "hftbacktest": of_hftbacktest,
}


def table(peer: str, played: Campaign) -> str:
    """The counts of one package as a table; a market may fall under several deviations."""
    version = PEERS[peer.removesuffix(".py")]
    rows = [(campaign.EQUAL, played.counts[campaign.EQUAL])]
    rows += [(name, played.counts[name]) for name in NAMES[peer]]
    rows.append(("unexplained", len(played.unexplained)))
    counted = f"{played.trades:,} {WORDS.get(peer, 'trades')}"
    lines = [f"| {campaign.MARKETS:,} markets, {counted} ({peer} {version}) | markets |", "|---|--:|"]
    return "\n".join(lines + [f"| {name} | {count} |" for name, count in rows])


def placed(document: str, peer: str, found: str) -> str:
    """The document with a table between the marks of its package."""
    begin, end = f"<!-- counts: {peer} -->", "<!-- end of counts -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n{found}\n{end}", document, count=1)


def main() -> None:
    """Play everything; print the tables or write them."""
    document = DOCUMENT.read_text(encoding="utf-8")
    for peer, play in PLAYS.items():
        found = table(peer, play(ask))
        print(found, end="\n\n")
        document = placed(document, peer, found)
    if "--write" in sys.argv:
        DOCUMENT.write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main()
