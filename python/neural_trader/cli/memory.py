"""``neural-trader memory``: what runs have written down, found again by likeness."""

from __future__ import annotations

import json as json_
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from neural_trader.cli.catalogs import free_target, size_text
from neural_trader.cli.help import SETTINGS, Command, Group, without_verb
from neural_trader.cli.options import Json
from neural_trader.cli.output import print_json, write
from neural_trader.cli.progress import progress_bar
from neural_trader.cli.table import print_table
from neural_trader.errors import DataError, UsageError, VerificationError

if TYPE_CHECKING:
    from neural_trader.memory import Card, Memory, Recall

_Verb = TypeVar("_Verb", bound=Callable[..., Any])

EXAMPLES = """\
neural-trader backtest -s rsi_reversion --memory memory.sqlite
neural-trader memory stats memory.sqlite
neural-trader memory search memory.sqlite --like 12 -k 5
"""


class Verbs(Group):
    """The verbs of memory, in the order in which one meets them."""

    order = ("stats", "search", "show", "skills", "uplift", "add", "export", "prune", "rebuild", "verify")


memory = typer.Typer(
    cls=Verbs,
    context_settings=SETTINGS,
    rich_markup_mode=None,
    callback=without_verb,
    invoke_without_command=True,
    help="What runs have written down, found again by likeness.",
)
Place = Annotated[str, typer.Argument(metavar="FILE", help="File of a memory, or URL, as --memory named it.")]


VERBS: dict[str, str] = {}
"""The examples of each verb."""


def _verb(examples: str) -> Callable[[_Verb], _Verb]:
    def register(verb: _Verb) -> _Verb:
        VERBS[verb.__name__] = examples
        return memory.command(cls=Command, context_settings=SETTINGS, epilog=examples)(verb)

    return register


def _opened(path: str) -> Memory:
    from neural_trader.memory import Memory

    return Memory(path, create=False)


@_verb("neural-trader memory stats memory.sqlite\nneural-trader memory stats memory.sqlite --recall\n")
def stats(
    path: Place,
    recall: Annotated[
        bool, typer.Option("--recall", help="Measure what each quantisation finds, and how fast.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what a memory holds."""
    with _opened(path) as opened:
        found = opened.stats()
        if recall:
            from neural_trader.memory.measuring import measured_recall

            with progress_bar("measuring", quiet=json) as progress:
                found["recall"] = measured_recall(opened, progress)
    if json:
        print_json(found)
        return
    share = f" ({found['won'] / found['ended']:.0%} of them with a gain)" if found["ended"] else ""
    print(f"{found['cards']:,} cards, {found['ended']:,} ended{share}, {size_text(found['bytes'])} in {found['path']}")
    features = "an embedding of your own" if found["features"] is None else ", ".join(found["features"]) or "none yet"
    print(f"situations: {features}; {found['dimensions']} dimensions")
    index = found["index"]
    print(f"index: {index['kind']}, {index['quantisation']}, {size_text(index['bytes'])}")
    if recall:
        rows = [
            (
                each["quantisation"],
                each["kind"],
                f"{each['recall']:.3f}",
                f"{each['microseconds']:,.0f}",
                size_text(each["bytes"]),
            )
            for each in found["recall"]
        ]
        print_table(rows, ("points as", "index", "recall@10", "median us", "memory"), styles=("cyan",), right=(2, 3, 4))


@_verb(
    "neural-trader memory search memory.sqlite --like 12 -k 5\n"
    "neural-trader memory search memory.sqlite -f heat=1.4 -f place=0.9 --won\n"
)
def search(
    path: Place,
    like: Annotated[int | None, typer.Option("--like", metavar="ID", help="Situations like that of this card.")] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option("--feature", "-f", metavar="NAME=NUMBER", help="Part of a situation. Repeatable."),
    ] = None,
    k: Annotated[int, typer.Option("-k", metavar="N", help="How many cards.")] = 10,
    symbol: Annotated[str | None, typer.Option("--symbol", metavar="NAME", help="Only of this instrument.")] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", metavar="NAME", help="Only of this strategy.")] = None,
    regime: Annotated[
        str | None, typer.Option("--regime", metavar="NAME", help="Only in trend, range or stress.")
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before", metavar="TIME", help="Only what was known before this.")
    ] = None,
    won: Annotated[
        bool | None, typer.Option("--won/--lost", help="Only those that ended with a gain, or without.")
    ] = None,
    half_life: Annotated[str | None, typer.Option("--half-life", metavar="AGE", help="Older counts less: 30d.")] = None,
    diversity: Annotated[
        float, typer.Option("--diversity", metavar="0..1", help="Rather cards unlike each other.")
    ] = 0.0,
    json: Json = False,
) -> None:
    """Find the decisions whose situations were most alike, and what came of them."""
    from neural_trader.market.times import instant_ns_of, interval_ns_of
    from neural_trader.memory import Weighting

    if (like is None) == (not feature):
        raise UsageError("search: give --like ID, or the situation with --feature NAME=NUMBER, one of the two")
    with _opened(path) as opened:
        situation = dict(opened.cards([like])[0].features) if like is not None else _features(feature or [])
        _check_known(opened, situation, {"symbol": symbol, "strategy": strategy, "regime": regime})
        found = opened.retrieve_top_k(
            situation,
            k,
            symbol=symbol,
            strategy=strategy,
            regime=regime,
            before_ns=None if before is None else instant_ns_of(before, "--before"),
            won=won,
            weighting=Weighting(
                half_life_ns=None if half_life is None else interval_ns_of(half_life), diversity=diversity
            ),
        )
        if json:
            print_json(found.document())
        else:
            _print_recall(found)


@_verb("neural-trader memory show memory.sqlite 12\nneural-trader memory show memory.sqlite 12 --json\n")
def show(
    path: Place,
    card: Annotated[int, typer.Argument(metavar="ID", help="Number of the card.")],
    json: Json = False,
) -> None:
    """Show one card whole."""
    with _opened(path) as opened:
        (found,) = opened.cards([card])
    if json:
        print_json(found.document())
        return
    from neural_trader.market.times import time_text

    print(f"card {found.id}: {found.strategy} decided to {found.action} {found.quantity:g} {found.symbol}")
    print(
        f"at {time_text(found.time_ns)} UTC, price {found.price:g}"
        f"{_said(' in ', found.regime)}{_said(': ', found.reason)}"
    )
    print_table([(name, f"{value:.4g}") for name, value in sorted(found.features.items())], ("feature", ""), right=(1,))
    outcome = found.outcome
    if outcome is None:
        print("It has not ended.")
        return
    print(
        f"It ended at {time_text(outcome.close_ns)} with {outcome.gain:+.2%}, "
        f"{outcome.profit:+,.2f} after fees of {outcome.fees:,.2f},"
    )
    print(f"after {outcome.best:+.2%} at best and {outcome.worst:+.2%} at worst. {outcome.critique}")


@_verb("neural-trader memory skills memory.sqlite\nneural-trader memory skills memory.sqlite --least 20 --json\n")
def skills(
    path: Place,
    least: Annotated[int, typer.Option("--least", metavar="N", help="Uses without which nothing is a skill.")] = 8,
    json: Json = False,
) -> None:
    """List the situations in which the same action mostly ended well."""
    if least < 1:
        raise UsageError(f"--least {least}: a skill has at least one use")
    from neural_trader.memory.skills import skills as found_in

    with _opened(path) as opened:
        cards = list(opened.all_cards())
        embedding = opened.refreshed().embedding
    found = found_in(cards, embedding, least_uses=least)
    if json:
        print_json([skill.document() for skill in found])
        return
    if not found:
        print(f"No skill in {len(cards):,} cards: no situation ended well often enough to be more than luck.")
        return
    rows = []
    for skill in found:
        far = sorted(skill.typical.items(), key=lambda each: -abs(each[1]))[:3]
        situation = ", ".join(f"{name} {value:+.2g}" for name, value in far)
        rate = f"{skill.success_rate:.0%} (>{skill.success_rate_low:.0%})"
        rows.append((skill.action, str(skill.uses), rate, f"{skill.mean_gain:+.2%}", situation))
    print_table(rows, ("action", "uses", "success", "mean", "typical situation"), styles=("cyan",), right=(1, 2, 3))


@_verb("neural-trader memory uplift memory.sqlite --regime trend\n")
def uplift(
    path: Place,
    action: Annotated[str | None, typer.Option("--action", metavar="NAME", help="Effect of buy, or of sell.")] = None,
    regime: Annotated[
        str | None, typer.Option("--regime", metavar="NAME", help="Effect of deciding in a regime.")
    ] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", metavar="NAME", help="Effect of a strategy.")] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Effect of a reason that has this.")
    ] = None,
    json: Json = False,
) -> None:
    """Estimate what a choice changed, with what else differed taken into account."""
    from neural_trader.memory.uplift import uplift as effect_of

    chosen = {"action": action, "regime": regime, "strategy": strategy, "reason": reason}
    given = {name: value for name, value in chosen.items() if value is not None}
    if len(given) != 1:
        raise UsageError("uplift: name one choice, with --action, --regime, --strategy or --reason")
    ((name, value),) = given.items()
    with _opened(path) as opened:
        cards = list(opened.all_cards())

    def is_treated(card: Card) -> bool:
        said = str(getattr(card, name))
        return value in said if name == "reason" else said == value

    found = effect_of(cards, is_treated)
    if json:
        print_json({**vars(found), "is_clear": found.is_clear})
        return
    print(f"{name} {value}: {found.effect:+.3%} of what was put in (95 %: {found.low:+.3%} to {found.high:+.3%}),")
    print(f"from {found.treated:,} cards with it and {found.untreated:,} without; plain difference {found.naive:+.3%}.")
    print("That is a clear effect." if found.is_clear else "That cannot be told from none.")


@_verb("neural-trader memory add memory.sqlite cards.jsonl\nneural-trader memory add memory.sqlite - < cards.jsonl\n")
def add(
    path: Place,
    cards: Annotated[
        str, typer.Argument(metavar="CARDS", help="File with a JSON object a line, or - for standard input.")
    ],
    json: Json = False,
) -> None:
    """Keep cards that were made elsewhere; all of them, or none if one is wrong."""
    from neural_trader.memory import Memory

    read = list(_cards_in(cards))
    with Memory(path) as opened:
        before = len(opened)
        ids = opened.add(read) if read else []
        new = len(opened) - before
        place = opened.place
    if json:
        print_json({"ids": ids, "new": new})
    else:
        print(f"{new:,} new cards in {place}" + (f", {len(ids) - new:,} were known" if len(ids) > new else ""))


@_verb("neural-trader memory export memory.sqlite kept.jsonl\n")
def export(
    path: Place,
    target: Annotated[Path, typer.Argument(metavar="CARDS", help="File to write, a JSON object a line.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
    json: Json = False,
) -> None:
    """Write all cards to a file that ``memory add`` reads."""
    with _opened(path) as opened:
        lines = [json_.dumps(card.document(), ensure_ascii=False, allow_nan=False) for card in opened.all_cards()]
    write(free_target(target, force), "".join(f"{line}\n" for line in lines))
    if json:
        print_json({"path": str(target), "cards": len(lines)})
    else:
        print(f"{len(lines):,} cards in {target}")


@_verb(
    "neural-trader memory prune memory.sqlite --newest 100000\n"
    "neural-trader memory prune memory.sqlite --after 2024-01-01 -n\n"
)
def prune(
    path: Place,
    newest: Annotated[int | None, typer.Option("--newest", metavar="N", help="Keep so many of the newest.")] = None,
    after: Annotated[str | None, typer.Option("--after", metavar="TIME", help="Keep those decided since, UTC.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would go, and keep it.")] = False,
    json: Json = False,
) -> None:
    """Forget old cards; those of skills and those that have not ended stay."""
    from neural_trader.market.times import instant_ns_of
    from neural_trader.memory.retention import Retention
    from neural_trader.memory.skills import skills as found_in

    if newest is None and after is None:
        raise UsageError("prune: say what to keep, with --newest N or --after TIME")
    with _opened(path) as opened:
        cards = list(opened.all_cards())
        always = {card for skill in found_in(cards, opened.refreshed().embedding) for card in skill.cards}
        rules = Retention(newest, None if after is None else instant_ns_of(after, "--after"), always=always)
        gone = rules.forgotten(cards)
        if not dry_run:
            opened.forget(gone)
    if json:
        print_json({"forgotten": gone, "kept": len(cards) - len(gone), "dry_run": dry_run})
    else:
        print(f"{len(gone):,} cards {'would go' if dry_run else 'forgotten'}, {len(cards) - len(gone):,} kept")


@_verb("neural-trader memory rebuild memory.sqlite\nneural-trader memory rebuild memory.sqlite --learn\n")
def rebuild(
    path: Place,
    learn: Annotated[bool, typer.Option("--learn", help="Learn the embedding anew, from all cards.")] = False,
    json: Json = False,
) -> None:
    """Make the index anew from the cards."""
    from neural_trader.memory.memory import LEARN_FROM

    with _opened(path) as opened:
        if learn:
            opened.learn()
        with progress_bar("building the index", quiet=json) as progress:
            opened.rebuild(progress)
        found = opened.stats()
    if json:
        print_json(found)
    elif found["learned"]:
        print(f"an index of {found['cards']:,} cards in {opened.index_path or opened.place}")
    else:
        print(f"{found['cards']:,} cards need no index: an embedding is learned from {LEARN_FROM} on")


@_verb("neural-trader memory verify memory.sqlite\n")
def verify(path: Place, json: Json = False) -> None:
    """Check that the file is whole and every card says what it said when it was written."""
    with _opened(path) as opened:
        faults = opened.store.faults()
        place = opened.place
        count = 0 if faults else len(opened)
    if json:
        print_json({"whole": not faults, "cards": count, "faults": faults})
        if faults:
            raise typer.Exit(VerificationError.exit_code)
        return
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise VerificationError(f"{place}: {faults[0]}{more}; restore a copy, or export what is left")
    print(f"PASS  {count:,} cards")


def _print_recall(found: Recall) -> None:
    from neural_trader.market.times import time_text

    if not len(found):
        print(f"Nothing found among {found.searched:,} cards.")
        return
    rows = []
    for each in found:
        outcome = each.card.outcome
        gain = "open" if outcome is None else f"{outcome.gain:+.2%}"
        what = f"{each.card.action} {each.card.symbol}"
        why = each.card.reason or ("" if outcome is None else outcome.critique)
        rows.append((str(each.card.id), time_text(each.card.time_ns), what, gain, f"{each.likeness:.2f}", why))
    print_table(rows, ("card", "decided", "", "gain", "like", ""), styles=("cyan",), right=(0, 3, 4))
    print(
        f"of {found.searched:,} cards; by weight {found.expected_gain:+.2%} in the mean, "
        f"{found.success_rate:.0%} with a gain"
    )
    print(f"certificate {found.root}")


def _check_known(opened: Memory, situation: dict[str, float], filters: dict[str, str | None]) -> None:
    """Refuse what no card of a memory has: a misspelt name would be an answer of nothing, or of anything."""
    from neural_trader.memory import FeatureEmbedding

    embedding = opened.learned_embedding()
    asked = []
    if isinstance(embedding, FeatureEmbedding):
        asked = [("feature", name, list(embedding.names)) for name in situation]
    asked += [(name, value, opened.store.names(name)) for name, value in filters.items() if value is not None]
    for what, value, known in asked:
        if known and value not in known:
            raise UsageError(f"no card has the {what} {value!r}; there are {', '.join(filter(None, known))}")


def _features(given: list[str]) -> dict[str, float]:
    features = {}
    for each in given:
        name, equals, number = each.partition("=")
        try:
            features[name.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise UsageError(f"--feature {each}: write NAME=NUMBER, such as heat=1.4")
    return features


def _cards_in(source: str) -> Iterator[Card]:
    from neural_trader.memory.cards import card_of

    text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    for at, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield card_of(json_.loads(line))
        except (ValueError, DataError) as error:
            raise DataError(f"{'standard input' if source == '-' else source} line {at}: {error}") from None


def _said(before: str, text: str) -> str:
    return before + text if text else ""
