"""`checkout dev --json` as a separate process, as users run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

CHECKOUT = Path(sys.executable).with_name("checkout")
API_KEY = "a key that the tests know"
READY_SECONDS = 20


@dataclass
class DevProcess:
    """A running `checkout dev`, with the addresses and the key from its JSON line."""

    process: subprocess.Popen[str]
    http: str
    kafka: str
    api_key: str
    data: Path

    @classmethod
    def start(cls, data: Path, api_key: str = API_KEY) -> DevProcess:
        """Start the process on a free port and wait until it is ready."""
        process = subprocess.Popen(
            [CHECKOUT, "dev", "--json", "--http-port", "0", "--data", data, "--api-key", api_key],
            stdout=subprocess.PIPE,
            text=True,
            env={
                k: v for k, v in os.environ.items() if not k.startswith(("CHECKOUT_", "COVERAGE_"))
            },
        )
        assert process.stdout
        line = process.stdout.readline()
        assert line, f"checkout dev ended with {process.wait(READY_SECONDS)}"
        ready = json.loads(line)
        return cls(process, ready["http"], ready["kafka"], ready["api_key"], Path(ready["data"]))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the process to end, and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(15)
        if self.process.stdout:
            self.process.stdout.close()
        return status

    def client(self, api_key: str | None = None) -> httpx.AsyncClient:
        """An HTTP client; by default with the API key that has both scopes."""
        return httpx.AsyncClient(
            base_url=self.http,
            headers={"Authorization": f"Bearer {api_key or self.api_key}"},
            timeout=30,
        )
