"""Progress bars of commands, and of calls with ``progress=True``."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_BAR = 30


class Progress:
    """A progress bar on standard error, or in a notebook. It is tqdm's, where tqdm is installed. Without a
    terminal or a notebook to show it, there is none.

    Args:
        what: what is done.
        total: how much there is to do, or 0 if that is not known.
        unit: of what.
        done: how much of it was done before.
    """

    def __init__(self, what: str, total: int, unit: str = "", done: int = 0) -> None:
        self._what = what
        self._total = total
        self._unit = unit
        self._done = done
        self._shown: object = None
        self._is_on = sys.stderr is not None and sys.stderr.isatty()
        self._bar: Any = None
        if self._is_on or _is_notebook():
            with contextlib.suppress(ImportError):
                from tqdm.auto import tqdm

                self._bar = tqdm(
                    desc=what, total=total or None, initial=done, unit=f" {unit or 'steps'}", leave=False
                )

    def __enter__(self) -> Self:
        self._show()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._is_on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def add(self, done: int = 1) -> None:
        self._done += done
        if self._bar is not None:
            self._bar.update(done)
        else:
            self._show()

    def _show(self) -> None:
        if not self._is_on or self._bar is not None:
            return
        count = f" {self._done:,} {self._unit}" if self._unit else ""
        if self._total:
            percent = min(100, self._done * 100 // self._total)
            filled = percent * _BAR // 100
            text = f"{self._what} [{'#' * filled}{'.' * (_BAR - filled)}] {percent:3}%"
            shown: object = (self._what, percent)
        else:
            text, shown = self._what, (self._what, self._done)
        if shown != self._shown:
            self._shown = shown
            sys.stderr.write(f"\r{text}{count}\x1b[K")
            sys.stderr.flush()


def _is_notebook() -> bool:
    """Whether this is the kernel of a notebook, which has no terminal but shows bars."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")
