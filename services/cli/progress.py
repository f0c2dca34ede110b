"""How far something has come, for a person who watches: on standard error, and only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from services.audit.violations import Progress as Told


@contextmanager
def progress_bars() -> Iterator[Told]:
    """Shows a bar for each thing that it is told of, and takes them away in the end."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
        # On the same terminal, what is printed goes above the bars; into a file or pipe, as it is.
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=False,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield told
