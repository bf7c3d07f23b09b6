"""Figures are measured: those of the README stand in the tables that the benches wrote."""

from __future__ import annotations

from tidy.tree import ROOT


def test_every_figure_of_the_readme_was_written_by_the_benches() -> None:
    results = (ROOT / "benches" / "results.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.split("<!-- benches -->\n", 1)[1].split("<!-- /benches -->", 1)[0]
    rows = [line for line in block.splitlines() if line.startswith("| ")]
    assert len(rows) > 10
    assert not [row for row in rows if row not in results.splitlines()]
