"""The terminal screen: complete, 80 columns, plain where it must be plain."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from neural_trader.report.display import duration, interval, moment, number, rate, rfc3339, signed
from neural_trader.report.outcome import Block
from neural_trader.report.terminal import bucketed, print_result, sparkline
from report_sample import DAY_NS, HOUR_NS, curve_result, make_result


def screen(result, width: int = 80, **settings) -> str:  # type: ignore[no-untyped-def]
    file = io.StringIO()
    print_result(result, Console(file=file, width=width, **settings))
    return file.getvalue()


def test_screen_fits_80_columns_and_35_lines() -> None:
    text = screen(make_result(("BTC-USDT", "ETH-USDT", "SOL-USDT", "XRP-USDT"), count=2_000, warnings=("take care",)))
    lines = text.splitlines()
    assert len(lines) <= 35
    assert max(len(line) for line in lines) <= 80


def test_screen_of_a_very_large_account_keeps_its_numbers_whole() -> None:
    result = make_result(count=900, cash=9e11)
    text = screen(result)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert f"{result.equity_curve[-1]:.4g}" in text
    assert "…" not in text


def test_screen_says_what_was_run_before_how_it_went() -> None:
    result = make_result(count=900)
    text = screen(result)
    before, after = (" ".join(part.split()) for part in text.split("Return [%]", 1))
    for said in ("SmaCross", "fast=12", "SYNTHETIC DATA", "BTC-USDT", "4h bars", "900 bars", "maker 0.02 %", "2 bps"):
        assert said in before, said
    assert "next bar's open" in before and "seed 7" in before
    assert result.hash in after


def test_screen_shows_both_curves_and_all_reasons() -> None:
    text = screen(curve_result([101.0, 99.0], benchmark=[100.0, 103.0]))
    assert "buy & hold" in text
    assert "n/a: no trades (Win Rate, Profit Factor, Expectancy and" in text


def test_screen_without_benchmark_says_so() -> None:
    text = screen(curve_result([101.0, 99.0]))
    assert "n/a: buy and hold was not run" in text


def test_file_data_is_not_called_synthetic_and_names_its_source() -> None:
    text = screen(make_result(("AAPL",), count=300, interval_ns=DAY_NS, origin="file"))
    assert "SYNTHETIC" not in text
    assert "data/AAPL.csv" in text


def test_output_that_is_no_terminal_has_no_escape_codes() -> None:
    assert "\x1b" not in screen(make_result(count=300))
    assert "\x1b" in screen(make_result(count=300), force_terminal=True, color_system="standard")


def test_no_color_leaves_out_every_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = screen(make_result(count=300), force_terminal=True)
    assert "\x1b[3" not in text and "\x1b[4" not in text and "\x1b[9" not in text


def test_terminal_without_block_characters_gets_plain_ones() -> None:
    class Ascii(io.StringIO):
        encoding = "ascii"  # type: ignore[assignment]

    file = Ascii()
    result = make_result(count=300)
    print_result(result, Console(file=file, width=80))
    assert "█" not in file.getvalue() and "#" in file.getvalue()


def test_markup_in_names_is_printed_and_not_obeyed() -> None:
    text = screen(make_result(count=300, strategy="[red]x[/red]", warnings=("[bold]w",)))
    assert "[red]x[/red]" in text and "[bold]w" in text


def test_run_without_samples_prints() -> None:
    assert "n/a: no samples" in screen(curve_result([]))


def test_sparkline_rises_with_the_heights() -> None:
    assert sparkline(np.arange(8.0)) == "▁▂▃▄▅▆▇█"
    assert sparkline(np.ones(5)) == "▁▁▁▁▁"
    assert sparkline(np.array([4.0, 8.0]), low=0.0) == "▅█"


@pytest.mark.parametrize("size", [1_000, 64, 7])
def test_parts_of_a_curve_keep_their_last_value_and_their_worst_dip(size: int) -> None:
    curve = np.arange(1_000.0) + 100.0
    below = np.zeros(1_000)
    below[437] = -0.3
    blocks = [
        (Block(curve[at : at + size], curve[at : at + size], None), below[at : at + size])
        for at in range(0, 1_000, size)
    ]
    last, worst = bucketed(blocks, 1_000, 20)
    assert list(last) == list(curve[49::50])
    assert list(np.flatnonzero(worst)) == [8] and worst[8] == 0.3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(1234567.891), "1,234,567.89"),
        (number(-0.0), "0.00"),
        (number(0.0000123), "1.23e-05"),
        (number(-0.004), "-0.004"),
        (number(3.2e15), "3.2e+15"),
        (signed(1.5), "+1.50"),
        (signed(-1.5), "-1.50"),
        (signed(0.0), "0.00"),
        (duration(0), "0 s"),
        (duration(12.5), "12.5 s"),
        (duration(3_600), "1 h"),
        (duration(3_660), "1 h 1 min"),
        (duration(90_000), "1 d 1 h"),
        (duration(86_400 + 59), "1 d"),
        (interval(HOUR_NS * 4), "4h"),
        (interval(DAY_NS * 7), "1w"),
        (interval(1_500_000), "1.5ms"),
        (interval(0), ""),
        (rfc3339(0), "1970-01-01T00:00:00Z"),
        (rfc3339(1_500_000_000), "1970-01-01T00:00:01.5Z"),
        (rfc3339(-1), "1969-12-31T23:59:59.999999999Z"),
        (moment("2024-01-01T10:30:00Z"), "2024-01-01 10:30"),
        (moment("2024-01-01T10:30:05Z"), "2024-01-01 10:30:05"),
        (rate(0.0005), "0.05 %"),
        (rate("0.0005"), "0.05 %"),
        (rate("5 bps"), "5 bps"),
    ],
)
def test_values_read_as_people_write_them(text: str, expected: str) -> None:
    assert text == expected


def test_rules_that_are_not_the_usual_ones_are_named() -> None:
    result = make_result(count=300)
    result.run |= {"leverage": "3", "volume_cap": "0.1", "close_at_end": True, "fill": "close"}
    result.run["overlays"] = [{"overlay": "VolatilityTarget", "annual": 0.2}]
    text = " ".join(screen(result).split())
    for said in ("same bar's close", "leverage 3", "at most 10 % of a bar's volume", "closed at the end"):
        assert said in text, said
    assert "VolatilityTarget(annual=0.2)" in text


def test_growth_per_year_from_less_than_a_year_says_so() -> None:
    assert "CAGR is extrapolated from 40 days" in screen(make_result(count=40, interval_ns=DAY_NS, slow=8, fast=3))
    assert "extrapolated" not in screen(make_result(count=366, interval_ns=DAY_NS))
