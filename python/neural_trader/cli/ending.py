"""How a command ends: whatever went wrong becomes one line on standard error, and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn, TextIO

from neural_trader.errors import NeuralTraderError

USAGE = 2
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
BROKEN_PIPE = 141
"""128 + SIGPIPE, which Windows does not know by name."""


def run_guarded(arguments: list[str]) -> int:
    """Run the application; every way in which it can end has its line and its code."""
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    _prepare_streams()
    _end_in_order_when_terminated()
    try:
        code = _run(arguments)
        # A full disk or a closed pipe may only show when what was printed is written out.
        sys.stdout.flush()
        return code
    except (CutShort, KeyboardInterrupt, BrokenPipeError) as error:
        if isinstance(error, BrokenPipeError) or isinstance(error.__cause__, BrokenPipeError):
            _drop_output()
            return BROKEN_PIPE
        return _end("interrupted", INTERRUPTED)
    except _Terminated:
        return _end("terminated", TERMINATED)
    except NeuralTraderError as error:
        return _end(str(error), error.exit_code, error if debug else None)
    except OSError as error:
        try:
            sys.stdout.flush()
        except OSError:
            _drop_output()
        return _end(_file_trouble(error), 1, error if debug else None)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - not even a panic ends in a traceback that nobody asked for
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return _end(
            f"unexpected {what}; run with --debug to see where, and please report it", 1, error if debug else None
        )


def _drop_output() -> None:
    """Output that nobody can take is let go: Python must not complain when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    import typer

    from neural_trader.cli.application import application

    try:
        code = application(arguments, prog_name="neural-trader", standalone_mode=False)
    except _click_exception(typer) as error:
        return _end(_usage(error, arguments), USAGE)
    return code if isinstance(code, int) else 0


def _click_exception(typer: Any) -> type[Exception]:
    """The base of errors of the command line itself; typer has brought its own click since 0.27."""
    found: type[Exception] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
    return found


def _usage(error: Any, arguments: list[str]) -> str:
    context = getattr(error, "ctx", None)
    if context is not None:
        command = context.command_path
    else:
        # An option without its value is found before its command is known to the error.
        verb = next((argument for argument in arguments if not argument.startswith("-")), "")
        command = f"neural-trader {verb}".rstrip()
    message = error.format_message().rstrip(".").replace("(Possible options: ", "(did you mean: ")
    return f"{message[:1].lower()}{message[1:]}; see {command} --help"


def _file_trouble(error: OSError) -> str:
    """A failed read or write in words."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _end(message: str, code: int, error: BaseException | None = None) -> int:
    if error is not None:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    print(f"{paint('error:', '1;31', sys.stderr)} {' '.join(message.split())}", file=sys.stderr)
    return code


def paint(text: str, style: str, stream: TextIO) -> str:
    """Text in an ANSI style, where the stream is a terminal and its owner has not said no."""
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{style}m{text}\x1b[0m"


def _prepare_streams() -> None:
    """A character that the terminal cannot show becomes a question mark, and a stream that was closed swallows all."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


class CutShort(BaseException):
    """Ctrl-C, or a reader of our output that has gone; carried past Typer as the cause of this."""


class _Terminated(BaseException):
    """SIGTERM arrived; files that are being written are taken away on the way out."""


def _end_in_order_when_terminated() -> None:
    def terminate(_number: int, _frame: object) -> NoReturn:
        raise _Terminated

    try:
        signal.signal(signal.SIGTERM, terminate)
    except ValueError:
        # Only the main thread may set it; whoever runs commands from another one deals with signals itself.
        return
