"""Models of queues beside the truth of single orders, and what must hold between them."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from neural_trader.errors import DataError
from neural_trader.market.order_flow import OrderFlow, collapsed, order_flow

if TYPE_CHECKING:
    from pathlib import Path

truth_of = pytest.importorskip("neural_trader.backtesting.queue_truth", reason="the Rust extension is not built")
NEVER, MODELS = truth_of.NEVER, truth_of.MODELS
FLOWS = (OrderFlow(), OrderFlow(limit_rate=3, market_rate=3, cancel_rate=0.05, limit_size=8, market_size=15))


@pytest.fixture(scope="module", params=FLOWS, ids=("short", "long"), name="records")
def _records(request: pytest.FixtureRequest) -> Any:
    return np.concatenate(list(order_flow(request.param, seed=3, duration="20m")))


@pytest.fixture(scope="module", name="levels")
def _levels(records: Any) -> Any:
    return np.concatenate(list(collapsed([records])))


@pytest.fixture(scope="module", name="probes")
def _probes(records: Any) -> Any:
    return truth_of.probes_in(records)


@pytest.fixture(scope="module", name="truth")
def _truth(probes: Any, records: Any) -> Any:
    return truth_of.fates_of(probes, records, depth="orders")


def test_the_truth_has_no_error(probes: Any, truth: Any) -> None:
    judgement = truth_of.judged("truth", probes, truth, truth)
    assert astuple(judgement)[4:] == (0.0,) * 7
    assert 0.2 < judgement.truly_filled == judgement.filled < 0.9
    assert judgement.probes > 190


def test_places_are_those_that_counting_by_hand_gives(probes: Any, records: Any, truth: Any) -> None:
    """For a probe here and there: who is at its price when it comes, and how much of them is left later."""
    for row in range(0, len(probes.times_ns), 9):
        for column, flag in enumerate((1, 2)):
            price, start = int(probes.prices[row, column]), int(probes.times_ns[row])
            moments = [start, *(start + round(part * 10 * 10**9) for part in truth_of.MOMENTS)]
            found = truth.ahead[row, column]
            for moment, ahead in zip(moments, found, strict=True):
                if not np.isnan(ahead):
                    assert ahead == _left(records, price, flag, start, moment)


def _left(records: Any, price: int, flag: int, start: int, moment: int) -> int:
    """What is left at a moment of the orders that rested at a price at the start."""
    here = records[(records["ts_event_ns"] <= moment) & (records["price"] == price)]
    added = here[(here["kind"] == 14) & (here["flags"] & flag != 0) & (here["ts_event_ns"] <= start)]
    left = dict(zip(added["id"].tolist(), added["quantity"].tolist(), strict=True))
    for record in here[(here["kind"] == 16) | (here["kind"] == 17)]:
        if int(record["id"]) in left:
            left[int(record["id"])] -= int(record["quantity"])
    return sum(left.values())


def test_the_careful_model_never_takes_us_for_further_ahead_than_we_are(probes: Any, levels: Any, truth: Any) -> None:
    careful = truth_of.fates_of(probes, levels, depth="levels", queue="risk_averse")
    fills = careful.filled_ns != NEVER
    assert (truth.filled_ns[fills] != NEVER).all()
    assert (careful.filled_ns[fills] >= truth.filled_ns[fills]).all()
    both = ~np.isnan(careful.ahead) & ~np.isnan(truth.ahead)
    assert (careful.ahead[both] >= truth.ahead[both]).all()
    assert (careful.filled_ns != truth.filled_ns).any()


@pytest.mark.parametrize("model", MODELS)
def test_every_model_knows_where_a_probe_begins(probes: Any, levels: Any, truth: Any, model: str) -> None:
    found = truth_of.fates_of(probes, levels, depth="levels", queue=model)
    np.testing.assert_array_equal(found.ahead[:, :, 0], truth.ahead[:, :, 0])


def test_models_are_judged_and_the_best_is_found(records: Any) -> None:
    judgements = {each.queue: each for each in truth_of.judge_queue_models(records, ("risk_averse", "power:1"))}
    careful, even = judgements["risk_averse"], judgements["power:1"]
    assert careful.imagined == 0.0 and careful.brier == careful.missed
    assert even.brier < careful.brier and abs(even.ahead_bias) < 0.1 * careful.ahead_bias
    assert even.brier == pytest.approx(even.imagined + even.missed)
    assert truth_of.fitted(judgements.values()) == truth_of.fitted(judgements.values(), "brier") == "power:1"


def test_a_feed_that_is_too_short_is_refused(records: Any) -> None:
    with pytest.raises(DataError, match="give more, or a shorter horizon"):
        truth_of.judge_queue_models(records, horizon="10m")


def test_the_page_has_the_tables_that_the_bench_writes(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(repository))
    from benches import queue_truth

    page = (repository / "docs" / "queue-truth.md").read_text(encoding="utf-8").partition("<!-- tables -->")[2]
    # All but the figures, which take minutes.
    made, written = (
        [line.partition(" | ")[0] for line in text.splitlines()]
        for text in (queue_truth.tables("2m", (1,), (2,)), page)
    )
    for names in (made, written):
        names[:] = [name for name in names if name.startswith(("###", "| `"))]
    assert made == written
    assert len(made) == len(queue_truth.MARKETS) * (1 + len(MODELS))
