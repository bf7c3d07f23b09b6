"""Shows a report where its reader is: inside a notebook, otherwise in the browser."""

from __future__ import annotations

import tempfile
import webbrowser
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_trader.report.html import render
from neural_trader.report.sections import strategy_name

if TYPE_CHECKING:
    from neural_trader.report.outcome import Outcome

FRAME_HEIGHT_PX = 900


def show(result: Outcome) -> Path | None:
    """Show the report: in a notebook as a frame, otherwise as a file in the browser, whose path is returned."""
    page = render(result)
    if in_notebook():
        from IPython.display import HTML, display  # type: ignore[import-not-found, unused-ignore]

        display(HTML(frame(page)))
        return None
    name = "".join(letter if letter.isalnum() else "-" for letter in strategy_name(result.run))[:40]
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="", prefix=f"neural-trader-{name}-", suffix=".html", delete=False
    ) as file:
        file.write(page)
    path = Path(file.name)
    webbrowser.open(path.as_uri())
    return path


def frame(page: str) -> str:
    """A frame that holds the whole page, so that neither its styles nor its scripts touch the notebook."""
    # allow-scripts without allow-same-origin: the page can draw its charts and reach nothing of the notebook.
    return (
        f'<iframe srcdoc="{escape(page)}" sandbox="allow-scripts allow-popups" '
        f'style="width:100%;height:{FRAME_HEIGHT_PX}px;border:0" title="Backtest report"></iframe>'
    )


def in_notebook() -> bool:
    """Whether this code runs in a kernel that can show HTML."""
    try:
        from IPython import get_ipython  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return False
    shell: Any = get_ipython()
    return shell is not None and shell.__class__.__name__ == "ZMQInteractiveShell"
