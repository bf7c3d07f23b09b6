"""Plays a dataset, reports on it, and prints how much memory that took at most."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":
    os.environ["NT_CATALOG"] = sys.argv[1]
    import neural_trader as nt

    class Rare(nt.Strategy):
        """Trades now and then, in Python."""

        def on_start(self) -> None:
            self.mean = self.sma(5_000)

        def on_bar(self, bar: nt.Bar) -> None:
            if bar.index % 20_000 == 19_999:
                self.target(0.5 if bar.close > self.mean.value else 0)

    result = nt.backtest(Rare, sys.argv[2])
    result.to_dict()
    with tempfile.TemporaryDirectory() as folder:
        result.to_html(Path(folder, "report.html"))
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    print(json.dumps({"bars": len(result.series[0]), "peak_kib": int(status["VmHWM"].split()[0])}))
