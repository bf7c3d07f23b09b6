"""What a file may be called and hold."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from tidy.tree import files, own_texts, text_of

LINES_MAX = 600
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "manager"}
CODE = {".rs", ".py", ".js", ".ts", ".pyi", ".cjs"}
# In two pieces each, because this file is read too.
MARKERS = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
MACHINE_PATHS = re.compile(r"(?<![\w.$}~/-])/(?:ro" + r"ot|ho" + r"me|Us" + r"ers|wo" + r"rk|mnt)/\w")
CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)


def _code(*folders: str) -> list[Path]:
    return [path for path in files() if path.parts[0] in folders and path.suffix in CODE and "assets" not in path.parts]


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    # A stub is a list to look things up in.
    sources = [path for path in _code("rust", "python", "npm", "bin") if path.suffix != ".pyi"]
    lengths = {str(path): len((text_of(path) or "").splitlines()) for path in sources}
    assert not {path: lines for path, lines in lengths.items() if lines > LINES_MAX}


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    assert not [str(path) for path in files() if VAGUE & {Path(part).stem.lower() for part in path.parts}]


def test_what_is_unfinished_is_not_written_into_the_code() -> None:
    assert not _mentions(MARKERS)


def test_nothing_points_to_a_place_on_somebodys_machine() -> None:
    assert not _mentions(MACHINE_PATHS)


def test_no_merge_was_left_halfway() -> None:
    assert not _mentions(CONFLICT)


def test_every_text_ends_with_one_newline_and_has_no_trailing_blanks() -> None:
    untidy = re.compile(r"[ \t]+$|\r", re.MULTILINE)
    wrong = [
        str(path)
        for path, text in own_texts()
        if text and path.suffix not in {".csv", ".txt"} and (not text.endswith("\n") or text.endswith("\n\n"))
    ]
    assert not wrong
    assert not [found for found in _mentions(untidy) if not found.startswith("tests/market/")]


def test_every_document_has_one_title_and_no_level_is_left_out() -> None:
    wrong = []
    for path, text in own_texts():
        if path.suffix == ".md":
            prose = re.sub(r"^(`{3,})[^\n]*\n.*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
            levels = [len(marks) for marks in re.findall(r"^(#{1,6}) ", prose, re.MULTILINE)]
            steps_down = [after - before for before, after in pairwise(levels)]
            if levels.count(1) != 1 or levels[0] != 1 or max(steps_down, default=0) > 1:
                wrong.append(str(path))
    assert not wrong


def test_every_link_of_a_document_leads_to_a_file() -> None:
    broken = [
        f"{path}: {target}"
        for path, text in own_texts()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if not re.match(r"[a-z]+:", target) and not any((path.parent / target).resolve() == known for known in _known())
    ]
    assert not broken


def _known() -> set[Path]:
    known = {path.resolve() for path in files()}
    return known | {parent for path in known for parent in path.parents}


def _mentions(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{text.count(chr(10), 0, found.start()) + 1}: {found.group()!r}"
        for path, text in own_texts()
        for found in pattern.finditer(text)
    ]
