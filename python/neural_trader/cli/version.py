"""``neural-trader version``."""

from __future__ import annotations

from neural_trader.cli import options
from neural_trader.cli.output import print_json

EXAMPLES = """\
neural-trader version
neural-trader version --json
"""


def version(json: options.Json = False) -> None:
    """Print the version."""
    from neural_trader import __version__

    if json:
        import platform

        print_json({"version": __version__, "python": platform.python_version(), "platform": platform.platform()})
    else:
        print(f"neural-trader {__version__}")
