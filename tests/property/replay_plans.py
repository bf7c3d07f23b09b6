"""Sessions with order plans that react to nothing: a law can transform both and play them again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from replay.random_sessions import Program, Session, make_session
from replay.scenario import Engines

BASE = 1_000
"""Prices stay far above one tick, where a trailing stop would meet the floor."""

Change = Callable[[str, Any], Any]


@dataclass(frozen=True)
class Call:
    """A command that is sent at a time, with its arguments by name."""

    time_ns: int
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    session: Session
    calls: list[Call]

    def with_calls(self, change: Change) -> Plan:
        """Each argument of each call changed by its name; ``time_ns`` is one of them."""
        calls = [
            Call(
                change("time_ns", call.time_ns),
                call.name,
                {name: change(name, value) for name, value in call.arguments.items()},
            )
            for call in self.calls
        ]
        return replace(self, calls=calls)

    def with_records(self, change: Callable[[Any], None], **config: Any) -> Plan:
        """The records of each source changed in place of a copy, and settings replaced."""
        sources = []
        for records, ranks in self.session.sources:
            copy = records.copy()
            change(copy)
            sources.append((copy, ranks))
        return replace(self, session=replace(self.session, sources=sources, config=self.session.config | config))


class _Unknowing:
    """What a planner sees of a replay: nothing."""

    def position(self, instrument: int) -> int:
        return 0


class _Planner(Program):
    """Draws orders as the random program does, around a price that it never looks at."""

    def draw(self, time_ns: int, *, may_cancel: bool) -> Call:
        random = self._random
        if may_cancel and random.random() < 0.25:
            order = random.randint(1, 12)
            if random.random() < 0.5:
                return Call(time_ns, "cancel", {"order": order})
            amended = {"order": order, "limit": BASE + random.randint(-4, 4), "quantity": random.randint(0, 12)}
            return Call(time_ns, "amend", amended)
        instrument, side = random.randrange(len(self.session.instruments)), random.choice((1, -1))
        self._last[instrument] = BASE + random.randint(-3, 3)
        keywords = self._random_order(_Unknowing(), instrument, side)
        return Call(time_ns, "submit", {"instrument": instrument, "side": side, **keywords})


def make_plan(seed: int, *, may_cancel: bool = True, **config: Any) -> Plan:
    """A plan in whole ticks, with prices that are prices; money is ample unless ``config`` says otherwise."""
    session = make_session(seed, base=BASE, **config)
    # A shift of all times could not move a time before the session.
    session = replace(session, early_ns=session.start_ns)
    planner, random = _Planner(session), Random(seed)
    span = session.end_ns - session.start_ns
    calls = []
    for _ in range(random.choice((5, 15, 40))):
        call = planner.draw(session.start_ns + random.randint(0, span), may_cancel=may_cancel)
        if not any(name.endswith("_ppb") or _is_no_price(name, value) for name, value in call.arguments.items()):
            calls.append(call)
    return Plan(session, sorted(calls, key=lambda call: call.time_ns))


PRICES = ("limit", "stop", "stop_loss", "take_profit")
DISTANCES = ("trail_ticks", "stop_loss_trail_ticks")
QUANTITIES = ("size", "quantity", "display")
TIMES = ("time_ns", "expire_ns")


def _is_no_price(name: str, value: Any) -> bool:
    return name in PRICES + DISTANCES and value <= 0


@dataclass
class FollowPlan:
    """Sends the commands of a plan at their times; those about orders that do not exist yet are left out."""

    calls: list[Call]
    told: list[tuple[str, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._due: dict[int, list[Call]] = defaultdict(list)
        for call in self.calls:
            self._due[call.time_ns].append(call)
        self._sent = 0

    def start(self, replay: Any) -> None:
        for time_ns in self._due:
            replay.timer(time_ns)

    def on_timer(self, replay: Any, time_ns: int) -> None:
        for call in self._due[time_ns]:
            arguments = dict(call.arguments)
            if call.name == "submit":
                place = (arguments.pop("instrument"), arguments.pop("side"), arguments.pop("kind"))
                self._sent += replay.submit(*place, **arguments) > 0
            elif arguments["order"] <= self._sent:
                getattr(replay, call.name)(*arguments.values())

    def on_answer(self, replay: Any, kind: str, number: int) -> None:
        self.told.append((kind, number, replay.now_ns))

    def on_record(self, replay: Any, source: int, index: int) -> None: ...


def follow(engines: Engines, plan: Plan, wants: tuple[str, ...] = ()) -> tuple[Any, FollowPlan]:
    """Play a plan to its end."""
    replay = engines.replay(plan.session.instruments, plan.session.sources, **plan.session.config)
    strategy = FollowPlan(plan.calls)
    strategy.start(replay)
    replay.run(strategy, wants)
    return replay, strategy
