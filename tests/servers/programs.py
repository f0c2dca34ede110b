"""Find, start and stop the programs of real servers, which listen on 127.0.0.1 only."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

HOST = "127.0.0.1"
MISSING = "is not installed: "
"""Part of the skip reason of each test that lacks a program."""


def find(program: str, *folders: str) -> Path | None:
    """A program on the PATH or in one of the folders, which may contain wildcards."""
    if found := shutil.which(program):
        return Path(found)
    root = Path("/")
    matches = (match for folder in folders for match in root.glob(f"{folder[1:]}/{program}"))
    return next(matches, None)


def missing(server: str, remedy: str) -> NoReturn:
    """Skip the current test, or fail it if CHECKOUT_TEST_REQUIRE_SERVERS=1."""
    reason = f"{server} {MISSING}{remedy}"
    if os.environ.get("CHECKOUT_TEST_REQUIRE_SERVERS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """A port that is kept for its server, which may bind it at any time and again after a restart.

    A bound socket that does not listen stays open until the tests end. A server that sets
    SO_REUSEADDR, as all of ours do, can listen beside it; meanwhile the kernel gives the port
    neither to another test process nor, as its own end, to an outgoing connection.
    """
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reserved.bind((HOST, 0))
    atexit.register(reserved.close)
    return int(reserved.getsockname()[1])


def start(
    command: Sequence[str],
    folder: Path,
    is_ready: Callable[[], bool],
    within: float,
    **popen: Any,
) -> subprocess.Popen[bytes]:
    """Start a server in its folder, logging to `server.log`, and wait until it is ready."""
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C must reach only the tests, which stop the server in order.
            **popen,
        )
    deadline = time.monotonic() + within
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)
    return process


def children(pid: int) -> list[int]:
    """The ids of a process's children."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = (map(int, line.split()) for line in listed.splitlines())
    return [child for child, parent in pairs if parent == pid]


def end(process: subprocess.Popen[bytes], *signals: signal.Signals, within: float = 10.0) -> None:
    """Send the signals one after another until the process ends; the last one is SIGKILL."""
    for number in (*signals, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            continue
        return
