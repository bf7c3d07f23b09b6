"""How commands end when they cannot go on: interrupted, unread, or on a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import ENVIRONMENT, Command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, pipes and devices of Unix")

SLEEPY = """\
import time
import neural_trader as nt

class Sleepy(nt.Strategy):
    def on_start(self):
        print("started", flush=True)
        time.sleep(60)
"""
MODULE = [sys.executable, "-m", "neural_trader"]


@pytest.mark.parametrize(
    ("number", "code", "line"),
    [(signal.SIGINT, 130, b"error: interrupted\n"), (signal.SIGTERM, 143, b"error: terminated\n")],
)
def test_signal_ends_a_run_with_one_line(number: signal.Signals, code: int, line: bytes, tmp_path: Path) -> None:
    (tmp_path / "sleepy.py").write_text(SLEEPY, encoding="utf-8")
    # Shells start background jobs with Ctrl-C ignored, and a child inherits that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [*MODULE, "backtest", "-s", "sleepy.py"],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (code, b"", line)
    assert not (tmp_path / "neural-trader-report.html").exists()


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("backtest", "--json"), ("backtest", "--no-html"), ("strategies",)])
def test_reader_that_leaves_is_no_error_worth_a_word(
    arguments: tuple[str, ...], unbuffered: str, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    environment = ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered}
    process = subprocess.Popen(
        [*MODULE, *arguments], cwd=tmp_path, env=environment, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    os.close(reading)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_device_is_one_line(command: Command) -> None:
    for arguments in (("--html", "/dev/full"), ("-o", "/dev/full")):
        ended = command("backtest", "-q", *arguments)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == "error: /dev/full: cannot be written (No space left on device)\n"
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_standard_output_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        for arguments in (("strategies",), ("backtest", "--json"), ("version",)):
            ended = subprocess.run(
                [*MODULE, *arguments], cwd=tmp_path, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, check=False
            )
            assert (ended.returncode, ended.stderr) == (1, b"error: No space left on device\n")


def test_closed_standard_output_is_no_error(tmp_path: Path) -> None:
    line = " ".join(MODULE) + " version >&-"
    ended = subprocess.run(line, shell=True, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for a strategy, and not for a report."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def test_full_disk_fails_in_one_line_and_leaves_nothing(full_disk: Path, command: Command) -> None:
    for arguments in (("--html", "page.html"), ("-o", "result.json")):
        ended = command("backtest", "-q", *arguments, folder=full_disk)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err == f"error: {arguments[1]}: cannot be written (No space left on device)\n"
        assert not list(full_disk.iterdir())


def test_full_disk_costs_the_default_page_and_not_the_result(full_disk: Path, command: Command) -> None:
    ended = command("backtest", folder=full_disk)
    assert ended.code == 0
    assert "Sharpe Ratio" in ended.out
    assert ended.err.startswith(
        "no page written: neural-trader-report.html cannot be written (No space left on device)"
    )
    assert not list(full_disk.iterdir())


def test_disk_that_is_read_only_is_refused_before_the_run(full_disk: Path, command: Command) -> None:
    subprocess.run(["mount", "-o", "remount,ro", full_disk], check=True)
    ended = command("backtest", "--html", full_disk / "page.html")
    assert (ended.code, ended.out) == (2, "")
    assert "may not be written; choose another place" in ended.err
