"""Writes the pages that the browser test opens into the folder given as its argument."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neural_trader.backtesting.replay import replay
from neural_trader.market.recordings import Listed, Recording, synthetic_recording
from neural_trader.report.html import write_html
from report_sample import DAY_NS, MINUTE_NS, curve_result, make_result

HOSTILE = "</script><script>window.hacked = true</script><img src=x onerror='window.hacked = true'>"


def main(folder: Path) -> None:
    write_html(make_result(("BTC-USDT", "ETH-USDT"), warnings=("take care",)), folder / "two.html")
    days = make_result(("AAPL",), count=40, interval_ns=DAY_NS, origin="file", fast=3, slow=8)
    write_html(days, folder / "days.html")
    write_html(make_result((HOSTILE,), count=300, strategy=HOSTILE, warnings=(HOSTILE,)), folder / "hostile.html")
    write_html(curve_result([100.0, 101.0, 99.0]), folder / "idle.html")
    write_html(curve_result([]), folder / "empty.html")
    made = synthetic_recording(7, "2m")
    replayed = Recording(made.records, (Listed(HOSTILE, *made.instruments[0][1:]),), "synthetic", made.source)
    write_html(replay("avellaneda_stoikov", replayed, ladder=True), folder / "replay.html")
    write_html(make_result(("TICK",), count=2_000, interval_ns=MINUTE_NS // 120_000), folder / "subsecond.html")
    write_html(make_result(count=1_000_000, interval_ns=MINUTE_NS), folder / "million.html")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
