"""Runs what docker-compose.yml and the Dockerfile declare, without Docker.

Only hosts, ports, credentials and file paths are replaced.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from services.security.token_encryption import new_key_line

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN_SERVICES = [name for name, service in SERVICES.items() if "build" in service]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PASSWORD = "a1b2c3"

_VARIABLE = re.compile(r"\$\{(\w+):[?-]([^}]*)\}")
_HOST_ENVIRONMENT = {"POSTGRES_PASSWORD": PASSWORD, "TOKEN_KEYS": new_key_line("compose").strip()}
"""The variables that the file requires from the host."""
_KAFKA_LOCATION_SETTINGS = (
    "listeners",
    "advertised.listeners",
    "controller.quorum.voters",
    "log.dirs",
)


def instruction(name: str) -> list[str]:
    """The words of the Dockerfile's last instruction of this name."""
    return list(json.loads(re.findall(rf"^{name} (\[.*\])$", DOCKERFILE, re.MULTILINE)[-1]))


def source_of(target: str) -> Path:
    """The file of this repository that the image holds at `target`."""
    [source] = re.findall(rf"^COPY (\S+) {re.escape(target)}$", DOCKERFILE, re.MULTILINE)
    return ROOT / source


def kafka_settings() -> dict[str, str]:
    """The broker's settings as the image derives them from its variables, without locations."""
    declared = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in SERVICES["kafka"]["environment"].items()
    }
    return {name: value for name, value in declared.items() if name not in _KAFKA_LOCATION_SETTINGS}


def options(service: str, program: str) -> list[str]:
    """The options with which a server's program is started."""
    first, *rest = SERVICES[service]["command"]
    assert first == program
    return list(rest)


class Container:
    """A service of the compose file, run as a process."""

    def __init__(
        self, service: str, replaced: Mapping[str, str], port: int, folder: Path, number: int = 1
    ) -> None:
        self.service = service
        self._declared = SERVICES[service]
        self._replaced = {**replaced, "http://127.0.0.1:8000": f"http://127.0.0.1:{port}"}
        self._port = port
        self._log = folder / f"{service}-{number}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL that the service listens on."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The declared environment; settings of the test run are removed."""
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("CHECKOUT_", "COVERAGE_"))
        }
        declared = {k: self._replace(v) for k, v in self._declared["environment"].items()}
        if "CHECKOUT_HTTP_PORT" in declared:
            declared |= {"CHECKOUT_HTTP_PORT": str(self._port), "CHECKOUT_HTTP_HOST": "127.0.0.1"}
        return {**inherited, **declared}

    def run(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """`docker compose run <service> [<command>]`: run to the end, by default the declared command."""
        return subprocess.run(
            self._command(command or self._declared["command"]),
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self) -> None:
        """`docker compose up <service>`."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(self._declared["command"]),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> int:
        """`docker compose stop <service>`: its exit status."""
        assert self._process
        self._process.terminate()
        try:
            return self._process.wait(int(self._declared["stop_grace_period"].removesuffix("s")))
        finally:
            self._process.kill()
            self._process.wait()

    def is_healthy(self) -> bool:
        """Whether the declared health check passes."""
        assert self._process
        assert self._process.poll() is None, self._log.read_text()
        cmd, python, *rest = self._declared["healthcheck"]["test"]
        assert (cmd, python) == ("CMD", "python")
        command = [sys.executable, *map(self._replace, rest)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def _command(self, command: Sequence[str]) -> list[str]:
        [program] = instruction("ENTRYPOINT")
        return [str(Path(sys.executable).with_name(program)), *command]

    def _replace(self, value: str) -> str:
        value = _VARIABLE.sub(lambda found: _HOST_ENVIRONMENT.get(found[1], found[2]), value)
        for declared, ours in self._replaced.items():
            value = value.replace(declared, ours)
        return value
