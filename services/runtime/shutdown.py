"""Stop signals, and a time limit for stopping."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading

logger = logging.getLogger(__name__)

_STOP_SECONDS = 9.0


async def until_stop_requested() -> None:
    """Return at Ctrl-C (SIGINT) or SIGTERM."""
    await stop_signal().wait()


def stop_signal() -> asyncio.Event:
    """An event that SIGINT (Ctrl-C) and SIGTERM set, instead of ending the process.

    From then on the process has 9 seconds to end by itself. Python would otherwise wait for a
    thread that is in a call to a hung server and can't be cancelled.
    """
    requested = asyncio.Event()
    loop = asyncio.get_running_loop()

    def request() -> None:
        if not requested.is_set():
            _force_exit_after(_STOP_SECONDS)
        requested.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, request)
    return requested


def _force_exit_after(seconds: float) -> None:
    def end() -> None:
        logger.error("not stopped within %.0f s, ending the process", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
