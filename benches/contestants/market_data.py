"""Our market data: makes what all contestants play, and plays it."""

from __future__ import annotations

import functools
import gzip
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from touches import Touches, digest
from worker import Job, serve

import neural_trader as nt
from neural_trader._native import Ladder
from neural_trader.baseline.ladder import Ladder as PlainLadder
from neural_trader.baseline.venues import PlainBinance
from neural_trader.market import synthetic_bars
from neural_trader.market.captures import feed_for, read_capture
from neural_trader.market.catalog import Catalog
from neural_trader.market.catalog.manifest import Key
from neural_trader.market.events import EVENT, FLAG, KIND
from neural_trader.market.order_flow import collapsed, order_flow
from neural_trader.market.venue_instruments import VenueInstrument

OURS = "neural-trader"
BLOCK_LINES = 100
PLAIN_MAX, PEERS_MAX = 2_000, 200_000
RECORDED = "binance_spot_btcusdt_20240809.ws.gz"
TOUCH = ("best_bid", "bid_quantity", "best_ask", "ask_quantity")
FIRST: dict[str, tuple[float, ...]] = {"mid": (), "spread": (), "weighted_mid": (), "imbalance": (1,), "order_flow": ()}
DEEP: dict[str, tuple[float, ...]] = {
    "imbalance": (5,),
    "bid_depth_within": (10.0,),
    "buy_average": (100,),
    "ask_slope": (5,),
}
REACHES = ((0.03, 16), (0.06, 256), (0.10, 1_024), (0.19, 4_096), (0.42, 16_384), (0.15, 65_536), (0.05, 300_000))
"""How far from the market the updates of a recorded session with a tick of a cent are: shares, and ticks."""
LEVELS = 40_000


def touches_of(columns: list[Any]) -> Touches:
    """Best prices as all contestants show them, from columns that are NaN where a side is empty."""
    whole = [np.nan_to_num(column).astype(np.int64).tolist() for column in columns]
    return list(zip(*whole, strict=True))


def fine_updates(count: int) -> tuple[Any, Any, Any]:
    """Side, price and quantity: each level comes, two fifths change once, and each goes; none crosses the book."""
    random = np.random.default_rng(7)
    adds = count * 5 // 12 + LEVELS
    side = random.choice(np.array([1, -1], np.int8), adds)
    shares, reaches = zip(*REACHES, strict=True)
    reach = random.choice(np.array(reaches), adds, p=shares)
    market = 6_180_000 + np.clip(np.cumsum(random.integers(-1, 2, adds)), -500, 500)
    price = market - side * (1_001 + random.integers(0, reach))
    begins = np.arange(adds, dtype=float)
    ends = begins + random.exponential(LEVELS, adds)
    changes = np.flatnonzero(random.random(adds) < 0.4)
    when = np.concatenate([begins, begins[changes] + random.random(len(changes)) * (ends - begins)[changes], ends])
    whose = np.concatenate([np.arange(adds), changes, np.arange(adds)])
    quantity = random.integers(1, 5_000_000, len(whose))
    quantity[adds + len(changes) :] = 0
    order = np.argsort(when, kind="stable")[:count]
    return side[whose[order]], price[whose[order]].astype(np.int64), quantity[order].astype(np.int64)


class MarketData:
    """One work for each part of the bench, and the plain twins."""

    version = nt.__version__

    def __init__(self, job: Job) -> None:
        self.folder, self.bars = Path(job["folder"]), job["bars"]
        self.works: dict[str, Callable[[], Any]] = {}
        self.items: dict[str, int] = {}
        self.about: dict[str, Any] = {}
        self.best: dict[str, str] = {}
        self._wire(Path(job["shared"]) / "data" / "depth" / RECORDED, job)
        if job.get("only") != "wire":
            self._levels()
            self._orders()
            self._catalog()

    def _add(self, name: str, items: int, work: Callable[[], Any]) -> None:
        self.works[name], self.items[name] = work, items

    def _write(self, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Rows for contestants whose environments have no numpy."""
        text = "".join(f"{' '.join(map(str, row))}\n" for row in rows)
        (self.folder / name).write_text(text, encoding="ascii")

    # ---- Messages ---------------------------------------------------------------------------------------------------

    def _wire(self, recorded: Path, job: Job) -> None:
        path = self.folder / "session.ws.gz"
        if recorded.exists() and self.bars > 100_000:
            path.write_bytes(recorded.read_bytes())
            self.instrument = VenueInstrument("BTCUSDT", (1, 2), (1, 8), 2, 8)
            self.about["source"] = "of BTC/USDT, 2024-08-09, as recorded"
        else:
            sys.path.insert(0, job["tests"])
            from venue_messages import binance_session

            made = binance_session(7, max(self.bars // 50, 40))
            path.write_bytes(gzip.compress(b"".join(b"%d %s\n" % pair for pair in made)))
            self.instrument = VenueInstrument("ABUSD", (1, 2), (1, 8), 2, 8)
            self.about["source"] = "generated"
        text = gzip.decompress(path.read_bytes())
        lines = [line for line in text.splitlines() if b'"depthUpdate"' in line or b'"lastUpdateId"' in line]
        (self.folder / "depth.txt").write_bytes(b"\n".join(lines))
        whole = [line + b"\n" for line in lines]
        blocks = [b"".join(whole[at : at + BLOCK_LINES]) for at in range(0, len(whole), BLOCK_LINES)]
        messages = [(int(time), message) for time, message in (line.split(b" ", 1) for line in lines)]

        def fed() -> Any:
            feed = feed_for("binance", [self.instrument], silence_ns=0)
            for block in blocks:
                feed.lines(block)
                feed.take()
            return feed

        def plain(of: list[tuple[int, bytes]]) -> Touches:
            twin = PlainBinance("spot", self.instrument.price_decimals, self.instrument.quantity_decimals)
            touches = []
            for time, message in of:
                twin.message(time, message)
                touches.append((*(twin.book.best(True) or (0, 0)), *(twin.book.best(False) or (0, 0))))
            return touches

        feed, touches, some = feed_for("binance", [self.instrument], silence_ns=0), [], messages[:PLAIN_MAX]
        for time, message in messages:
            feed.message(time, message)
            sides = [feed.levels(self.instrument.symbol, bids, 1) for bids in (True, False)]
            touches.append(tuple(number for side in sides for number in (side[0] if side else (0, 0))))
        records = np.frombuffer(feed.take(), EVENT)
        levels = self._level_count(records)
        self.best["wire"] = digest(touches)
        if plain(some) != touches[: len(some)]:
            raise SystemExit("the plain twin has other best prices than the feed")
        before = feed_for("binance", [self.instrument], silence_ns=0)
        for time, message in some:
            before.message(time, message)
        self._add("wire: feed", levels, fed)
        self._add("wire: plain twin", self._level_count(np.frombuffer(before.take(), EVENT)), lambda: plain(some))
        self.about["levels_of_wire"] = levels
        self._add("capture: read_capture", len(text), lambda: read_capture(path, "binance", [self.instrument]))
        self._add("capture: gzip alone", len(text), lambda: gzip.decompress(path.read_bytes()))
        self.about["kinds"] = f"{len(text.splitlines()):,} messages of all kinds"

    @staticmethod
    def _level_count(records: Any) -> int:
        return int(np.isin(records["kind"], [KIND["level"], KIND["snapshot_level"]]).sum())

    # ---- Books ------------------------------------------------------------------------------------------------------

    def _levels(self) -> None:
        side, price, quantity = fine_updates(self.bars * 5)
        none: tuple[float, ...] = ()
        measures = [(name, none) for name in TOUCH]
        few = min(len(side), PEERS_MAX)
        rows = list(zip(side[:few].tolist(), price[:few].tolist(), quantity[:few].tolist(), strict=True))
        self._write("updates.txt", rows)
        columns = Ladder().play(measures, side[:few], price[:few], quantity[:few])
        touches = touches_of(columns)
        self.best["updates"] = digest(touches)

        def plain(of: list[tuple[int, int, int]]) -> Touches:
            book, seen = PlainLadder(), []
            for row in of:
                book.set(*row)
                seen.append((*(book.best(1) or (0, 0)), *(book.best(-1) or (0, 0))))
            return seen

        some = rows[:PLAIN_MAX]
        if plain(some) != touches[: len(some)]:
            raise SystemExit("the plain twin has other best prices than the ladder")
        book = Ladder()
        book.play([], side, price, quantity)
        self.about["levels"] = book.count(1) + book.count(-1)
        self._add("updates: ladder", len(side), lambda: Ladder().play(measures, side, price, quantity))
        self._add("updates: plain twin", len(some), lambda: plain(some))

    def _orders(self) -> None:
        blocks, count = [], 0
        for block in order_flow(seed=7, duration="3650d"):
            blocks.append(block)
            count += len(block)
            if count >= self.bars * 2:
                break
        orders = np.concatenate(blocks)[: self.bars * 2]
        # Up to the end of an action, so that nothing of it waits.
        few = int(np.flatnonzero(orders["flags"][:PEERS_MAX] & FLAG["last"])[-1]) + 1
        names = {number: name for name, number in KIND.items()}
        kinds = [names[number] for number in orders["kind"][:few].tolist()]
        fields = ("id", "flags", "price", "quantity")
        rows = zip(kinds, *(orders[name][:few].tolist() for name in fields), strict=True)
        self._write("orders.txt", [(FLAG["bid"], FLAG["last"]), *rows])
        (told,) = collapsed([orders[:few]])
        self.best["orders"] = digest(touches_of(self._play(self._columns(told), [(name, ()) for name in TOUCH])))
        self._add("orders: book", len(orders), lambda: list(collapsed([orders])))
        every = np.concatenate(list(collapsed([orders])))
        first, deep = ([(name, given) for name, given in chosen.items()] for chosen in (FIRST, DEEP))
        columns = self._columns(every)
        for label, measures in (("of the touch", first), ("deeper", deep), ("all", [*first, *deep])):
            work = functools.partial(self._play, columns, measures)
            self._add(f"measures: {len(measures)}, {label}", len(columns[-1]), work)
        written = [f"{name}({', '.join(map(str, given))})" if given else name for name, given in [*first, *deep]]
        self.about["measures"] = ", ".join(written)

    @staticmethod
    def _columns(records: Any) -> list[Any]:
        """Side, price, quantity and ends of the actions of an L2 feed, its snapshot being the first."""
        levels = records[np.isin(records["kind"], [KIND["level"], KIND["snapshot_level"]])]
        ends = np.flatnonzero(np.diff(levels["id"].astype(np.int64), append=-1)) + 1
        side = np.where(levels["flags"] & FLAG["bid"], 1, -1).astype(np.int8)
        return [side, *(np.ascontiguousarray(levels[name]) for name in ("price", "quantity")), ends.astype(np.int64)]

    @staticmethod
    def _play(columns: list[Any], measures: list[tuple[str, tuple[float, ...]]]) -> list[Any]:
        return Ladder().play(measures, *columns)

    # ---- Catalog ----------------------------------------------------------------------------------------------------

    def _catalog(self) -> None:
        (bars,) = synthetic_bars(seed=7, symbols=("MINUTE",), bars=self.bars * 10, interval="1m", start="2000-01-01")
        catalog = Catalog(self.folder / "catalog")
        catalog.append(bars, "bench")
        dataset = catalog.dataset(Key("bench", "MINUTE", "bars", "1m"))
        paths = dataset.paths()
        if not np.array_equal(dataset.item().close, bars.close):
            raise SystemExit("the catalog gives other bars back than it was given")
        self.about |= {"files": len(paths), "megabytes": sum(path.stat().st_size for path in paths) / 1e6}
        count = len(bars)
        self._add("catalog: bars, on their exact grid", count, dataset.item)
        self._add("catalog: scan, all columns", count, lambda: dataset.scan().collect())
        self._add(
            "catalog: scan, the mean close", count, lambda: dataset.scan().select(pl.col("close").mean()).collect()
        )
        self._add("catalog: the bytes of its files", count, lambda: [path.read_bytes() for path in paths])

    def result(self) -> dict[str, Any]:
        return {
            "best": self.best,
            "about": self.about,
            "works": {name: (OURS, items) for name, items in self.items.items()},
        }


serve(MarketData)
