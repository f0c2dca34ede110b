"""What the tests run in processes of their own, to kill them: `python -m … COMMAND URL NAME`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.event_store import open_store
from tests.services.event_store.samples import event, outcome

_ROOT = Path(__file__).parents[3]


def hold_lock(url: str, name: str) -> None:
    """Take a lock, say so, and keep it until killed."""
    store = open_store(url)
    assert store.try_lock(name)
    _say("held")
    sys.stdin.read()


def write(url: str, name: str) -> None:
    """Write versions of one checkout, each with its outcome, until killed."""
    store = open_store(url)
    version = 0
    while True:
        version += 1
        store.append([event(name, version)], [outcome(f"{name}:{version}", name, version)])
        _say(str(version))


@contextmanager
def running(command: str, url: str, name: str) -> Iterator[subprocess.Popen[str]]:
    """One of these in a process, killed in the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, command, url, name],
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    {"hold_lock": hold_lock, "write": write}[sys.argv[1]](*sys.argv[2:])
