"""neural-trader as it is, with ccxt's addresses on this machine: python on_loopback.py URL data get ..."""

from __future__ import annotations

import sys
from typing import Any

from neural_trader.cli import main
from neural_trader.market import venue_history
from venue_server import pointed_at

url, *arguments = sys.argv[1:]
opened = venue_history.opened


def on_this_machine(venue: str) -> Any:
    return pointed_at(opened(venue), url)


venue_history.opened = on_this_machine
sys.argv = ["neural-trader", *arguments]
sys.exit(main())
