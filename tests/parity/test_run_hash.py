"""Section 10 of the fill rules: the bytes of each record, built by hand, and the digests over them."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from neural_trader.baseline.records import FillRecord, OrderRecord, PostingRecord
from neural_trader.baseline.run_hash import (
    digest_inputs,
    digest_parameters,
    encode_fill,
    encode_order,
    encode_posting,
    encode_text,
    run_hash,
)
from neural_trader.market.bars import Step
from parity.outcome import play_baseline, play_rust
from parity.programs import make_case
from parity.scenario import bars_of


def little(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little", signed=value < 0)


def test_the_bytes_of_an_order() -> None:
    order = OrderRecord(7, 3, 1, -1, 4, 2, 11, 12, 13, 14, 15, 16, 17, 18, 2, 4, 19)
    parts = [little(7, 4), little(3, 4), little(1, 4), b"\xff", b"\x04", b"\x02"]
    parts += [little(value, 8) for value in range(11, 19)]
    assert encode_order(order) == b"".join([*parts, b"\x02", b"\x04", little(19, 8)])


def test_the_bytes_of_a_fill() -> None:
    fill = FillRecord(7, 1, 1, 5, 100, 99, 2**70, 2**65, 1, -8)
    parts = [little(7, 4), little(1, 4), b"\x01", little(5, 8), little(100, 8), little(99, 8)]
    assert encode_fill(fill) == b"".join([*parts, little(2**70, 16), little(2**65, 16), b"\x01", little(-8, 8)])


def test_the_bytes_of_a_posting() -> None:
    posting = PostingRecord(3, 2, 1, 0, -(2**80))
    assert encode_posting(posting) == little(3, 4) + b"\x02" + little(1, 4) + little(0, 4) + little(-(2**80), 16)


def test_text_is_its_length_and_its_utf_8() -> None:
    assert encode_text("Ä1") == b"\x03\x00\x00\x00\xc3\x841"


def test_the_inputs_digest_binds_every_column_and_grid() -> None:
    table = "open high low close volume spread\n100 110 90 105 7 2"
    bars = bars_of("A", table, tick=Step(5, 2), lot=Step(1, 3))
    columns = [sha256(little(value, 8)).digest() for value in (0, 90, 100, 110, 90, 105, 7, 2)]
    grid = little(5, 8) + b"\x02" + little(1, 8) + b"\x03"
    assert digest_inputs([bars]) == sha256(encode_text("A") + grid + little(1, 8) + b"".join(columns)).digest()
    columns[7] = bytes(32)
    without_spread = sha256(encode_text("A") + grid + little(1, 8) + b"".join(columns)).digest()
    assert digest_inputs([replace(bars, spread=None)]) == without_spread


def test_the_parameters_digest_does_not_depend_on_the_order_of_keys() -> None:
    expected = sha256(b'{"a":{"c":2,"d":1.5},"b":"\\u00e9"}').digest()
    assert digest_parameters({"b": "é", "a": {"d": 1.5, "c": 2}}) == expected


def test_the_run_hash_binds_the_version_and_the_five_digests() -> None:
    names = ("inputs", "parameters", "orders", "fills", "postings")
    digests = {name: sha256(name.encode()).digest() for name in names}
    expected = sha256(b"neural-trader run 1\n" + encode_text("1.2.3") + b"".join(digests.values())).digest()
    assert run_hash("1.2.3", **digests) == expected
    for name in names:
        assert run_hash("1.2.3", **digests | {name: bytes(32)}) != expected


def test_both_engines_name_a_run_by_the_same_hash() -> None:
    names = {}
    for case in map(make_case, range(20)):
        baseline, _ = play_baseline(case)
        assert baseline.digests["run"] == play_rust(case).digests["run"]
        names[baseline.digests["run"]] = len(baseline.fills)
    assert len(names) == 20 and max(names.values()) > 20
