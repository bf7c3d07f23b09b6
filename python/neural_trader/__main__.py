"""``python -m neural_trader`` is the command line."""

from __future__ import annotations

import sys

from neural_trader.cli import main

if __name__ == "__main__":
    sys.exit(main())
