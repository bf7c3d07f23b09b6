"""Random sessions in which instruments of bars stand beside books, and programs that trade both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from neural_trader.errors import EngineError
from neural_trader.market.bars import Bars, Step
from parity.markets import make_bars
from replay.random_sessions import BILLION, Program, Session, make_session

OF_BARS = ("market", "market", "limit", "stop", "stop_limit", "trailing_stop")


def make_bars_session(seed: int, **config: Any) -> Session:
    """A session with one to three more instruments, which come as bars; now and then there are no books at all."""
    session, random = make_session(seed, **config), Random(seed + 1)
    if random.random() < 0.2:
        start_ns, end_ns = session.start_ns, session.end_ns
        session = replace(session, instruments=[], sources=[], start_ns=start_ns, end_ns=end_ns)
    books = [(f"m{at}", *steps) for at, (_, *steps) in enumerate(session.instruments)]
    count = random.randint(1, 3)
    symbols = [random.choice("bz") + str(at) for at in range(count)]
    bars = [_bars(random, symbol, session) for symbol in symbols]
    listed = sorted([*books, *((each.symbol, each.tick, each.lot) for each in bars)], key=lambda each: each[0])
    rank = {symbol: at for at, (symbol, *_) in enumerate(listed)}
    sources = [
        (records, [rank[books[number][0]] if number >= 0 else -1 for number in ranks])
        for records, ranks in session.sources
    ]
    of_bars = {
        "bars": sorted((rank[each.symbol], each) for each in bars),
        "slippage_ticks": random.choice((0, 0, 2)),
        "slippage_ppb": random.choice((0, 7_777_777)),
        "slippage_spread_ppb": random.choice((0, BILLION // 2)),
        "fill_close": random.random() < 0.25,
        "limit_through": random.random() < 0.3,
        "volume_cap_ppb": random.choice((None, None, BILLION // 10)),
    }
    at_closes = {"sample_ns": None} if random.random() < 0.3 else {}
    return replace(session, instruments=listed, sources=sources, config=session.config | of_bars | at_closes | config)


def _bars(random: Random, symbol: str, session: Session) -> Bars:
    span = max(20, session.end_ns - session.start_ns)
    step = max(2, span // random.choice((5, 20, 60)))
    rows, open_ns, close_ns, price = [], [], [], random.choice((20, 300, 1_000))
    now_ns = session.start_ns + random.choice((0, 1, -step, random.randint(0, span // 2)))
    while now_ns < session.end_ns + step and len(rows) < 120:
        length = random.choice((step, step, max(1, step // 3)))
        path = [max(1, price + random.randint(-6, 6)) for _ in range(4)]
        rows.append((path[0], max(path), min(path), path[3], random.randint(0, 400), random.choice((0, 1, 4))))
        open_ns.append(now_ns)
        close_ns.append(now_ns + length)
        now_ns += length + random.choice((0, 0, 1, step // 2))
        price = path[3]
    tick, lot = Step(random.choice((1, 5)), random.choice((0, 2))), Step(1, random.choice((0, 1)))
    return make_bars(symbol, rows, open_ns=open_ns, close_ns=close_ns, tick=tick, lot=lot)


@dataclass
class BarsProgram(Program):
    """Sends orders for bars, too, of all their kinds and sizes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._bars = {rank for rank, _ in self.session.config["bars"]}

    def on_bar(self, replay: Any, instrument: int, bar_index: int) -> None:
        self._see(replay, "bar", instrument, bar_index)
        while self._random.random() < self._appetite:
            self._act(replay)

    def on_moment(self, replay: Any, time_ns: int) -> None:
        self._see(replay, "moment", time_ns)

    def _see(self, replay: Any, what: str, *numbers: int) -> None:
        super()._see(replay, what, *numbers)
        for rank in self._bars:
            self._last[rank] = replay.mark(rank) or self._last[rank]
        self.seen.append(("marks", *(replay.mark(rank) for rank in sorted(self._bars))))

    def _random_order(self, replay: Any, instrument: int, side: int) -> dict[str, Any]:
        keywords = super()._random_order(replay, instrument, side)
        random = self._random
        if instrument not in self._bars or random.random() < 0.01:
            return keywords
        bracket = {name: keywords[name] for name in keywords if name.startswith(("stop_loss", "take_profit"))}
        kind = random.choice(OF_BARS)
        order: dict[str, Any] = {"kind": kind, "size": self._size(replay, instrument)} | bracket
        match random.randrange(8):
            case 0:
                order |= {"size_kind": "cash", "size": random.randint(0, self.session.config["cash"])}
            case 1:
                order |= {"size_kind": "fraction", "size": random.choice((-1, BILLION // 3, BILLION))}
            case 2:
                held = replay.position(instrument)
                order |= {"kind": "market", "size_kind": "target_quantity", "size": random.choice((0, 5, -5, held))}
            case 3:
                order |= {"kind": "market", "size_kind": "target_fraction", "size": random.choice((0, 1, -1)) * 10**8}
        if order["kind"] in ("limit", "stop_limit"):
            order["limit"] = self._near(instrument)
        if order["kind"] in ("stop", "stop_limit"):
            order["stop"] = self._near(instrument)
        if order["kind"] == "trailing_stop":
            order |= self._trail("trail_ticks", "trail_ppb")
        match random.randrange(8):
            case 0:
                order |= {"time_in_force": "gtd", "expire_ns": self._some_time()}
            case 1:
                order |= {"time_in_force": "day"}
        return order


def play_bars_session(engines: Any, session: Session) -> tuple[Any, BarsProgram]:
    """Play a session; an error of the engine is the last thing seen."""
    program = BarsProgram(session)
    replay = engines.replay(session.instruments, session.sources, **session.config)
    program.start(replay)
    try:
        replay.run(program, session.wants, bars=True)
    except EngineError as error:
        if str(error).startswith("law") or ": law" in str(error):
            raise
        program.seen.append(("error",))
    return replay, program
