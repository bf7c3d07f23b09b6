"""Finding a strategy: a library name, ``file.py[:Class]``, ``module:Class``, or a formula in a file."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from neural_trader.errors import NeuralTraderError, StrategyLoadError
from neural_trader.strategy.base import Strategy
from neural_trader.strategy.library import LIBRARY, load

if TYPE_CHECKING:
    from types import ModuleType


def find_strategy(reference: str) -> type[Strategy]:
    """The strategy class that a reference names.

    Raises StrategyLoadError with what was looked for, and the nearest library name where a name is unknown.
    """
    if reference in LIBRARY:
        return load(reference)
    if reference.endswith((".json", ".formula")):
        from neural_trader.strategy.expressions import of_file

        return of_file(Path(reference))
    path, class_name = parts_of(reference)
    if path.endswith(".py"):
        return _class_of(_module_of_file(Path(path)), class_name, path)
    if class_name:
        try:
            module = importlib.import_module(path)
        except ImportError as error:
            raise StrategyLoadError(f"no module {path!r}: {error}") from error
        return _class_of(module, class_name, path)
    near = difflib.get_close_matches(reference, LIBRARY, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise StrategyLoadError(
        f"no strategy {reference!r}; {hint}the library has {', '.join(LIBRARY)}; your own is path/to/file.py[:Class]"
    )


def parts_of(reference: str) -> tuple[str, str]:
    """The file or module of a reference, and the class if it names one."""
    # A Windows drive letter is no module, and a class name is an identifier.
    head, colon, tail = reference.rpartition(":")
    return (head, tail) if colon and len(head) > 1 and tail.isidentifier() else (reference, "")


def _module_of_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise StrategyLoadError(f"no strategy file {str(path)!r}")
    name = f"neural_trader_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StrategyLoadError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # A strategy may import its neighbours, as it could if it were run as a script.
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise StrategyLoadError(f"{path}, line {error.lineno}: {error.msg}") from error
    except NeuralTraderError:
        raise
    except Exception as error:
        line = _line_in(error, path)
        raise StrategyLoadError(f"{path}{line}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return module


def _line_in(error: BaseException, path: Path) -> str:
    line = ""
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).resolve() == path.resolve():
            line = f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return line


def _class_of(module: ModuleType, class_name: str, where: str) -> type[Strategy]:
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__
    ]
    if class_name:
        found = getattr(module, class_name, None)
        if isinstance(found, type) and issubclass(found, Strategy):
            return found
        names = ", ".join(each.__name__ for each in own) or "no strategy"
        raise StrategyLoadError(f"{where} has no strategy class {class_name!r}; it has {names}")
    if not own:
        raise StrategyLoadError(f"{where} has no strategy: write a class that derives from neural_trader.Strategy")
    if len(own) > 1:
        names = ", ".join(each.__name__ for each in own)
        raise StrategyLoadError(f"{where} has several strategies ({names}); name one: {where}:{own[0].__name__}")
    return own[0]
