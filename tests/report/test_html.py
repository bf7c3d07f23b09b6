"""The page: self-contained, safe against hostile names, honest about synthetic data and thinning, small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest

from neural_trader.report import figures, html, notebook
from neural_trader.report.thinning import candles
from report_sample import DAY_NS, HOUR_NS, MINUTE_NS, START_NS, curve_result, make_bars, make_result

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'{{hash}}"


class Page(HTMLParser):
    """Collects elements, scripts and visible text of a page, and checks that tags are balanced."""

    VOID = frozenset({"meta", "input", "img", "br", "link", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.stack: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self.feed(text)
        assert not self.stack, f"never closed: {self.stack}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        assert self.stack and self.stack[-1] == tag, f"</{tag}> closes {self.stack[-1:]}"
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif not self.stack or self.stack[-1] != "style":
            self.text += data


@pytest.fixture(scope="module")
def page_text() -> str:
    return html.render(make_result(("BTC-USDT", "ETH-USDT"), count=1_500, warnings=("take care",)))


def test_page_is_well_formed_and_names_what_was_run(page_text: str) -> None:
    page = Page(page_text)
    for text in ("SmaCross", "fast=12, slow=60", "10,000.00 USDT", "2 bps", "next bar's open", "take care"):
        assert text in page.text, text
    assert "Synthetic data" in page.text
    assert "TradingView, Inc." in page.text


def test_page_loads_nothing_from_anywhere(page_text: str) -> None:
    page = Page(page_text)
    assert not any(tag in ("link", "iframe", "img", "object", "embed") for tag, _ in page.tags)
    assert not any("src" in attributes for _, attributes in page.tags)
    css = re.findall(r"<style>(.*?)</style>", page_text, re.DOTALL)
    assert css and "url(" not in css[0] and "@import" not in css[0]
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    assert links == {"https://www.tradingview.com/", "https://www.apache.org/licenses/LICENSE-2.0"}


def test_policy_allows_exactly_the_scripts_of_the_page(page_text: str) -> None:
    page = Page(page_text)
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy is not None and "default-src 'none'" in policy and "unsafe-eval" not in policy
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    programs = [text for attributes, text in page.scripts if "type" not in attributes]
    hashes = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in programs}
    assert len(programs) == 2
    assert allowed == hashes


def test_hostile_names_stay_text() -> None:
    result = make_result((HOSTILE,), count=300, strategy=HOSTILE, warnings=(HOSTILE,), origin="file")
    result.run["parameters"] = {HOSTILE: HOSTILE}
    result.run["like"] = HOSTILE
    text = html.render(result)
    page = Page(text)
    assert len(page.scripts) == 4
    assert not any(tag == "img" for tag, _ in page.tags)
    assert page.text.count("<img src=x onerror=alert(2)>") >= 4
    assert "{{hash}}" in page.text, "a name that looks like a placeholder must not be replaced"
    embedded = json.loads(page.scripts[0][1])
    assert embedded["run"]["strategy"] == HOSTILE


def test_data_from_a_file_carries_no_synthetic_badge_and_shows_its_notes() -> None:
    page = Page(html.render(make_result(("AAPL",), count=400, origin="file")))
    assert "Synthetic data" not in page.text
    assert "tick 0.01 inferred" in page.text


def test_run_without_trades_has_a_page_that_says_so() -> None:
    page = Page(html.render(curve_result([100.0, 101.0, 99.0], HOUR_NS)))
    assert "Nothing to draw: no trades." in page.text
    assert "n/a" in page.text


def test_run_without_samples_has_a_page() -> None:
    assert "Ended where it began" in Page(html.render(curve_result([]))).text


def test_page_of_a_million_bars_stays_below_five_megabytes() -> None:
    result = make_result(count=1_000_000, interval_ns=MINUTE_NS)
    text = html.render(result)
    assert len(text.encode()) < 5_000_000
    page = Page(text)
    assert "1,000,000 bars are joined into 1h candles" in page.text
    assert "The first 5,000 of" in page.text
    charts = json.loads(page.scripts[1][1])
    assert len(charts["instruments"][0]["t"]) <= 20_000


def test_page_of_many_instruments_stays_below_five_megabytes() -> None:
    result = make_result(tuple(f"S{index:03d}" for index in range(120)), count=3_000, cash=1e6)
    assert len(html.render(result).encode()) < 5_000_000


def test_write_replaces_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert html.write_html(make_result(count=200), path) == path
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_joined_candles_keep_open_high_low_close_and_volume() -> None:
    bars = make_bars("X", 5_000, MINUTE_NS, 3, 50.0)
    drawn = candles(bars, 100)
    assert len(drawn.open_ns) <= 100 and drawn.width_ns == HOUR_NS
    assert drawn.open[0] == bars.open_price[0] and drawn.close[-1] == bars.close_price[-1]
    assert drawn.high.max() == bars.high_price.max() and drawn.low.min() == bars.low_price.min()
    assert drawn.volume is not None and bars.volume_units is not None
    assert drawn.volume.sum() == pytest.approx(bars.volume_units.sum())
    second = slice(60, 120)
    assert (drawn.open[1], drawn.close[1]) == (bars.open_price[60], bars.close_price[119])
    assert (drawn.high[1], drawn.low[1]) == (bars.high_price[second].max(), bars.low_price[second].min())
    assert np.all(np.diff(drawn.open_ns) > 0)


def test_monthly_returns_are_those_of_the_calendar() -> None:
    # 2024 begins with 31 days of January and 29 of February; a sample at midnight closes the day before.
    curve = [110.0] * 31 + [99.0] * 29 + [198.0] * 20
    columns, rows, title = figures.calendar_rows(curve_result(curve, DAY_NS))
    assert (title, columns[0], len(rows)) == ("Monthly", "Jan", 1)
    assert rows[0].cells[:3] == pytest.approx([0.10, -0.10, 1.0])
    assert rows[0].cells[3:] == [None] * 9
    assert rows[0].total == pytest.approx(0.98)


def test_short_run_shows_its_days() -> None:
    columns, rows, title = figures.calendar_rows(curve_result([110.0] * 7 + [121.0] * 2, DAY_NS))
    assert (title, columns) == ("Daily", figures.WEEKDAYS)
    assert [row.label for row in rows] == ["2024-01-01", "2024-01-08"]  # 2024-01-01 is a Monday
    assert rows[0].cells == pytest.approx([0.1, 0, 0, 0, 0, 0, 0])
    assert rows[1].cells == [pytest.approx(0.1), 0.0, None, None, None, None, None]


def test_month_after_ruin_has_no_return() -> None:
    curve = [110.0] * 31 + [-10.0] * 29 + [-10.0] * 31
    _, rows, _ = figures.calendar_rows(curve_result(curve, DAY_NS))
    assert rows[0].cells[1] == pytest.approx(-120 / 110 - 0) or rows[0].cells[1] is not None
    assert rows[0].cells[2] is None


@pytest.mark.parametrize("count", [1, 2, 40, 5_000])
def test_histogram_counts_every_trade_once_with_an_edge_at_zero(count: int) -> None:
    values = np.random.default_rng(count).standard_t(2, count)
    bins = figures.histogram_bins(values)
    assert sum(one.trades for one in bins) == count
    assert len(bins) <= 44
    if bins[0].low < 0.0 < bins[-1].high:
        assert any(abs(one.low) < 1e-12 for one in bins)


def test_costs_lead_from_gross_to_net() -> None:
    result = make_result(count=900)
    text = Page(figures.costs(result, result.stats)).text
    net = result.equity_curve[-1] - 10_000.0
    gross = net + result.fills["fee"].sum() + result.fills["slippage"].sum()
    assert f"{abs(gross):,.2f}" in text and f"{abs(net):,.2f}" in text


def test_notebook_frame_holds_the_whole_page_and_no_access_to_the_notebook(page_text: str) -> None:
    frame = notebook.frame(page_text)
    parsed = Page(frame)
    tag, attributes = parsed.tags[0]
    assert tag == "iframe" and attributes["srcdoc"] == page_text
    assert attributes["sandbox"] == "allow-scripts allow-popups"


def test_outside_a_notebook_the_page_opens_in_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(notebook.webbrowser, "open", opened.append)
    path = notebook.show(make_result(count=200, strategy="../../evil name"))
    assert path is not None
    try:
        assert opened == [path.as_uri()]
        assert "/" not in path.name and path.read_text(encoding="utf-8").startswith("<!doctype html>")
    finally:
        path.unlink()


def test_start_of_the_sample_data_is_what_the_tests_assume() -> None:
    assert np.datetime64(START_NS, "ns") == np.datetime64("2024-01-01T00:00:00", "ns")
