"""What the tests of downloads share."""

from __future__ import annotations

import pytest

pytest.importorskip("ccxt", reason="downloads are tested with ccxt: pip install 'neural-trader[venues]'")
