"""``neural-trader solve``: files in, answers with certificates out, and one line for whatever is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from commands import SYSTEM, Command

scipy = pytest.importorskip("scipy", reason="matrices are written with scipy, which the package does without")
pytest.importorskip("scipy.io")
pytest.importorskip("scipy.sparse")

DENSE = np.array([[4, -1, 0, 0], [-1, 4, 0, 0], [0, 0, 4, 1], [-1, 0, 0, 3]], dtype=float)


@pytest.fixture
def folder(command: Command) -> Path:
    return command("version").folder


def kept(folder: Path, form: str) -> str:
    """The system in a file of this form."""
    sparse = scipy.sparse.csr_matrix(DENSE)
    name = f"system.{form.rsplit('-', maxsplit=1)[-1]}"
    if form == "mtx":
        (folder / name).write_text(SYSTEM, encoding="utf-8")
    elif form == "scipy-mtx":
        scipy.io.mmwrite(folder / name, sparse)
    elif form == "array-mtx":
        scipy.io.mmwrite(folder / name, DENSE)
    elif form == "dense-npz":
        np.savez(folder / name, DENSE)
    elif form == "csv":
        lines = [f"{row},{column},{DENSE[row, column]}" for row, column in np.argwhere(DENSE)]
        (folder / name).write_text("\n".join(["row,col,value", *lines]), encoding="utf-8")
    elif form == "bare-csv":
        (folder / name).write_text("0,0,4e0\n0,1,-1\n1,0,-1\n1,1,4\n2,2,4\n2,3,1\n3,3,3\n3,0,-1\n", encoding="utf-8")
    else:
        scipy.sparse.save_npz(folder / name, sparse.asformat(form.split("-", maxsplit=1)[0]))
    return name


FORMS = ["mtx", "scipy-mtx", "array-mtx", "csr-npz", "csc-npz", "coo-npz", "dense-npz", "csv", "bare-csv"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_file_is_solved(form: str, command: Command, folder: Path) -> None:
    name = kept(folder, form)
    document = command("solve", name, "--json").passed().document
    assert document["x"] == pytest.approx(np.linalg.solve(DENSE, np.ones(4)), abs=1e-6)
    assert document["certificate"]["is_met"] and document["certificate"]["bound"] <= 1e-6


def test_symmetric_files_name_half_of_their_entries(command: Command, folder: Path) -> None:
    (folder / "s.mtx").write_text(
        "%%MatrixMarket matrix coordinate integer symmetric\n2 2 3\n1 1 4\n2 1 -1\n2 2 4\n", encoding="utf-8"
    )
    (folder / "b.txt").write_text("3\n3\n", encoding="utf-8")
    assert command("solve", "s.mtx", "-b", "b.txt", "--json").passed().document["x"] == pytest.approx([1, 1])


@pytest.mark.parametrize("method", ["auto", "push", "walks", "bidirectional"])
def test_one_entry_is_the_one_of_the_whole_solution(method: str, command: Command, folder: Path) -> None:
    name = kept(folder, "mtx")
    asked = ("solve", name, "--entry", "2", "--eps", "1e-3", "--method", method, "--json")
    document = command(*asked).passed().document
    assert document["value"] == pytest.approx(np.linalg.solve(DENSE, np.ones(4))[2], abs=1e-3)
    assert document["entry"] == 2
    assert document == command("solve", "system", *asked[1:]).passed().document


def test_the_screen_says_value_error_and_cost(command: Command, folder: Path) -> None:
    out = command("solve", "--entry", "3", kept(folder, "mtx"), "--method", "push").passed().out
    assert "x[3]" in out and "certain" in out and "entries in" in out and "computed anew" in out


def test_a_whole_solution_can_be_kept(command: Command, folder: Path) -> None:
    command("solve", kept(folder, "mtx"), "-o", "x.txt").passed()
    assert np.loadtxt(folder / "x.txt") == pytest.approx(np.linalg.solve(DENSE, np.ones(4)), abs=1e-6)


def test_analyze_says_what_is_known_before_anything_is_solved(command: Command, folder: Path) -> None:
    document = command("solve", "analyze", kept(folder, "mtx"), "--json").passed().document
    assert (document["kind"], document["scaled"], document["entries"]) == ("rows", False, 8)
    assert document["slack"] == pytest.approx(2) and document["rate"] == pytest.approx(1 / 3)
    assert "dominant" in command("solve", "analyze", "system.mtx").passed().out


def test_pagerank_of_a_ring_falls_with_the_distance(command: Command, folder: Path) -> None:
    (folder / "ring.csv").write_text("".join(f"{at},{(at + 1) % 5},1\n" for at in range(5)), encoding="utf-8")
    document = command("solve", "pagerank", "ring.csv", "--seed-node", "2", "--json").passed().document
    assert [each["node"] for each in document["ranks"]] == [2, 3, 4, 0, 1]
    assert sum(each["rank"] for each in document["ranks"]) == pytest.approx(1, abs=1e-5)


def spoiled(folder: Path) -> dict[str, str]:
    """Files that cannot be solved, by the words that say why."""
    head = "%%MatrixMarket matrix coordinate real general\n"
    texts = {
        "wide.mtx": (head + "2 3 1\n1 1 1\n", "the matrix is 2 x 3"),
        "empty.mtx": (head + "0 0 0\n", "the matrix is empty"),
        "nothing.mtx": ("", "does not begin with %%MatrixMarket"),
        "cut.mtx": (head + "2 2 3\n1 1 4\n2 2", "is no line of 3 numbers; the file may be cut short"),
        "short.mtx": (head + "2 2 3\n1 1 4\n", "announces 3 entries and has 1"),
        "sizeless.mtx": (head + "% only comments\n", "has no line of sizes"),
        "words.mtx": (head + "1 1 1\n1 1 four\n", "every line needs 3 numbers"),
        "complex.mtx": (head.replace("real", "complex") + "1 1 1\n1 1 1 1\n", "only real numbers"),
        "beyond.mtx": (head + "2 2 1\n3 1 1\n", "coordinates must be from 0 to 1"),
        "before.mtx": (head + "2 2 1\n0 1 1\n", "must be whole numbers, counted from 1"),
        "between.mtx": (head + "2 2 1\n1.5 1 1\n", "must be whole numbers, counted from 1"),
        "huge.mtx": (head + "99999999999 99999999999 1\n1 1 1\n", "has 99999999999 rows; at most 4294967294"),
        "hermitian.mtx": (head.replace("general", "hermitian") + "1 1 1\n1 1 1\n", "is hermitian; only general"),
        "pattern.mtx": (head.replace("real general", "pattern symmetric") + "2 2 3\n1 1\n2 2\n2 1\n", "row 0 has 1"),
        "none.mtx": (head + "2 2 1\n1 1 1\n", "row 1 has 0 on the diagonal and 0 beside it"),
        "nan.mtx": (head + "2 2 2\n1 1 nan\n2 2 1\n", "NaN at row 0, column 0"),
        "singular.mtx": (head + "2 2 4\n1 1 1\n1 2 1\n2 1 1\n2 2 1\n", "not diagonally dominant: row 0"),
        "weak.csv": ("0,0,1\n0,1,3\n1,1,2\n1,0,2\n", "row 0 has 1 on the diagonal and 3 beside it, 2 too much"),
        "empty.csv": ("", "holds no entries"),
        "part.csv": ("0,0.5,1\n", "must be whole numbers, counted from 0"),
        "minus.csv": ("0,0,4\n0,-1,1\n", "must be whole numbers, counted from 0"),
        "words.csv": ("row,col,value\n0,0,four\n", "every line needs 3 numbers"),
        "beyond.csv": ("0,0,4\n1e12,0,1\n", "has 1000000000001 rows; at most 4294967294"),
        "cut.npz": ("PK", "is no npz file, or is cut short"),
        "matrix.txt": ("1", "is no .mtx, .npz or .csv"),
    }
    for name, (text, _) in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {name: words for name, (_, words) in texts.items()}


def spoiled_archives(folder: Path) -> dict[str, str]:
    """Archives of another kind, by the words that say so."""
    csr = {"format": "csr", "shape": [2, 2], "indices": [0, 1], "indptr": [0, 1, 2], "data": [4.0, 4.0]}
    given = {
        "imaginary.npz": ({**csr, "data": [4j, 4]}, "must be real numbers, not complex128"),
        "cube.npz": ({**csr, "shape": [2, 2, 2]}, "its arrays are those of no sparse matrix"),
        "formats.npz": ({**csr, "format": ["csr", "csr"]}, "its arrays are those of no sparse matrix"),
        "parts.npz": ({**csr, "indices": [0.0, 0.5]}, "must be whole numbers in one dimension"),
        "text.npz": ({**csr, "data": ["a", "b"]}, "must be real numbers, not <U1"),
        "short.npz": ({**csr, "indptr": [0, 1]}, "its row pointers do not fit 2 rows"),
        "lacking.npz": ({"format": "csr", "shape": [2, 2]}, "has no array 'indptr' that format csr needs"),
        "blocks.npz": ({**csr, "format": "bsr"}, "format bsr; csr, csc and coo are read"),
        "several.npz": ({"a": [[1.0]], "b": [[1.0]]}, "holds a, b; one dense array or a sparse matrix is read"),
    }
    for name, (arrays, _) in given.items():
        np.savez(folder / name, **{key: np.array(value) for key, value in arrays.items()})
    return {name: words for name, (_, words) in given.items()}


def test_files_that_cannot_be_solved_are_one_line_with_code_3(command: Command, folder: Path) -> None:
    for name, words in {**spoiled(folder), **spoiled_archives(folder), "absent.mtx": "there is no such file"}.items():
        ended = command("solve", name)
        assert (ended.code, ended.out) == (3, ""), name
        assert words in ended.err and name in ended.err and ended.err.count("\n") == 1, ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--eps", "0"), "eps must be a number above 0"),
        (("--eps", "-1"), "eps must be a number above 0"),
        (("--eps", "nan"), "eps must be a number above 0"),
        (("--eps", "small"), "write a number above 0"),
        (("--entry", "4"), "entry 4 is out of range: the system has entries 0 to 3"),
        (("--entry", "-1"), "entry -1 is out of range"),
        (("--method", "magic"), "no method is called 'magic'"),
        (("--entry", "1", "--method", "cg"), "no method is called 'cg'; there are auto, push"),
        (("--entry", "1", "--method", "walks", "--confidence", "2"), "confidence must be between 0 and 1"),
        (("--entry", "1", "-o", "x.txt"), "leave out --entry"),
    ],
)
def test_questions_that_make_no_sense_end_with_code_2(
    arguments: tuple[str, ...], words: str, command: Command, folder: Path
) -> None:
    ended = command("solve", kept(folder, "mtx"), *arguments)
    assert (ended.code, ended.out) == (2, "") and words in ended.err, ended.err


def test_a_right_side_that_does_not_fit_is_refused(command: Command, folder: Path) -> None:
    name = kept(folder, "mtx")
    (folder / "b.txt").write_text("1 2\n", encoding="utf-8")
    assert "has 2 values and the system 4 rows" in command("solve", name, "-b", "b.txt").err
    (folder / "c.txt").write_text("1 2 3 x\n", encoding="utf-8")
    ended = command("solve", name, "-b", "c.txt")
    assert ended.code == 3 and "no right side" in ended.err
    (folder / "nan.txt").write_text("1 nan 3 4\n", encoding="utf-8")
    assert "nan.txt: the right side has NaN at row 1" in command("solve", name, "-b", "nan.txt").err
    np.save(folder / "wide.npy", np.ones((4, 4)))
    ended = command("solve", name, "-b", "wide.npy")
    assert ended.code == 3 and "wide.npy: is no right side, which has one dimension and not 2" in ended.err
