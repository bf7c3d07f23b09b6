"""``neural-trader bench``: Rust against plain Python on this machine; results are compared before they are timed."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from neural_trader.cli import options
from neural_trader.cli.output import print_json
from neural_trader.errors import UsageError, VerificationError

if TYPE_CHECKING:
    from neural_trader.market.bars import Bars

EXAMPLES = """\
neural-trader bench
neural-trader bench --bars 2000 --json
"""

ROUNDS = 3
FEATURES: dict[str, tuple[int, ...]] = {
    "sma": (20,),
    "ema": (20,),
    "rsi": (14,),
    "atr": (14,),
    "highest": (20,),
    "deviation": (20,),
    "macd": (12, 26, 9),
    "volatility": (20,),
}
BARS_MIN = 200


class Row(NamedTuple):
    """One piece of work: how many bars it went over, and the best time of each side."""

    work: str
    bars: int
    python_s: float
    rust_s: float

    @property
    def ratio(self) -> float:
        return self.python_s / self.rust_s


def bench(
    bars: Annotated[int, typer.Option(metavar="N", help="Bars to go over.")] = 5_000,
    json: options.Json = False,
) -> None:
    """Time Rust against plain Python on this machine."""
    from neural_trader.cli.progress import progress_bar
    from neural_trader.market import synthetic_bars

    if bars < BARS_MIN:
        raise UsageError(f"--bars {bars}: take at least {BARS_MIN}, below that there is nothing to time")
    market = synthetic_bars(seed=7, symbols=("ALPHA",), bars=bars)
    works: list[Callable[[tuple[Bars, ...]], list[Row]]] = [_engine, _features]
    rows: list[Row] = []
    with progress_bar("timing", quiet=json) as progress:
        for at, work in enumerate(works):
            rows += work(market)
            if progress is not None:
                progress((at + 1) / len(works))
    if json:
        print_json(
            {
                "machine": {"platform": platform.platform(), "python": platform.python_version()},
                "rounds": ROUNDS,
                "rows": [{**row._asdict(), "ratio": row.ratio, "equal": True} for row in rows],
            }
        )
    else:
        _print(rows)


def _engine(market: tuple[Bars, ...]) -> list[Row]:
    """The moving-average cross with fees, slippage and ledger, in the plain engine and in Rust."""
    from neural_trader.cli import twins

    plain = twins.digests_of_plain(twins.play_plain(market), market)
    works = {"backtest, strategy in Python": twins.play_rust, "backtest, strategy in Rust": twins.play_rust_alone}
    for work, play in works.items():
        if twins.digests_of_rust(play(market)) != plain:
            raise VerificationError(f"bench: {work} and plain Python differ on {len(market[0])} bars; please report it")
    plain_s = _best(lambda: twins.play_plain(market))
    return [Row(work, len(market[0]), plain_s, _best(lambda play=play: play(market))) for work, play in works.items()]  # type: ignore[misc]


def _features(market: tuple[Bars, ...]) -> list[Row]:
    """Whole columns of features, equal to the last bit."""
    from neural_trader.baseline import features as baseline
    from neural_trader.features.calls import evaluated
    from neural_trader.features.table import table

    bars = market[0]
    rows = []
    for name, given in FEATURES.items():
        kind = table()[name]
        inputs = [getattr(bars, str(field)).astype(float) for _, field in kind.inputs]
        lists = [column.tolist() for column in inputs]

        def rust(kind: Any = kind, given: tuple[int, ...] = given, inputs: Any = inputs) -> Any:
            return evaluated(kind, inputs, given)

        def plain(name: str = name, given: tuple[int, ...] = given, lists: Any = lists) -> Any:
            return baseline.columns(name, given, *lists)

        values = zip(*(column.tolist() for column in rust()), strict=True)
        if any(ours != theirs for ours, theirs in zip(values, plain(), strict=True) if theirs is not None):
            raise VerificationError(f"bench: feature {name} differs from plain Python; please report it")
        rows.append(Row(f"feature {name}{given}".replace(",)", ")"), len(bars), _best(plain), _best(rust)))
    return rows


def _best(work: Callable[[], Any]) -> float:
    """The best of a few times: what the machine can do when nothing else disturbs it."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return max(min(times), 1e-9)


def _print(rows: list[Row]) -> None:
    from neural_trader.cli.table import console, print_table

    cells = [
        (
            row.work,
            f"{row.bars / row.python_s:,.0f}",
            f"{row.bars / row.rust_s:,.0f}",
            f"{row.ratio:,.0f}x" if row.ratio >= 10 else f"{row.ratio:.1f}x",
        )
        for row in rows
    ]
    print_table(
        cells, ("work", "Python bars/s", "Rust bars/s", "ratio"), styles=("cyan", "", "", "bold"), right=(1, 2, 3)
    )
    note = f"\nEqual to the last bit, then timed: {rows[0].bars:,} bars, best of {ROUNDS}."
    console().print(note, style="dim")
