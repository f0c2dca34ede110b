"""A PostgreSQL server for the tests, with a fresh database for each.

Uses the server at CHECKOUT_TEST_POSTGRES_URL if that is set, else starts one in a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import psycopg
import pytest

from tests.servers import programs
from tests.servers.certificates import Certificates

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
_REMEDY = "apt-get install postgresql, or name a server in CHECKOUT_TEST_POSTGRES_URL"


class OwnPostgres:
    """A server that tests may stop and start.

    PostgreSQL never runs as root, so root starts it as another user.

    With `certificates` it accepts only TLS connections that authenticate with `password`.
    """

    def __init__(
        self,
        certificates: Certificates | None = None,
        password: str = "",
        options: Sequence[str] = (),
    ) -> None:
        self._certificates = certificates
        self._password = password
        program = programs.find("postgres", *_FOLDERS)
        if program is None:
            programs.missing("PostgreSQL", _REMEDY)
        self._program = program.resolve()  # initdb is in the folder of the real program
        self._options = list(options)
        self._folder = Path(tempfile.mkdtemp(prefix="checkout-postgres-"))
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
            self._as_user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        self._port = programs.free_port()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{programs.HOST}:{self._port}"

    def copy_from(self, primary: OwnPostgres) -> None:
        """Replace the data by a copy of the primary's, which this server will follow as its standby."""
        shutil.rmtree(self._folder / "data", ignore_errors=True)
        self._run(
            "pg_basebackup", "-D", "data", "-X", "stream", "-R", "-c", "fast", "-d", primary.url
        )

    def initialise(self) -> None:
        """Create an empty data directory, without durability across a crash of the machine."""
        options = "-D data -U postgres -E UTF8 --no-locale -N".split()
        options += ["-A", "scram-sha-256" if self._password else "trust"]
        if self._password:
            password = self._folder / "password"
            password.write_text(self._password)
            options += ["--pwfile", str(password)]
        self._run("initdb", *options)
        if self._certificates:
            self._secure(self._certificates)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._program.with_name(program), *arguments],
            cwd=self._folder,
            check=True,
            capture_output=True,
            timeout=60,
            **self._as_user,
        )

    def _secure(self, certificates: Certificates) -> None:
        for source in (certificates.certificate, certificates.key):
            copy = self._folder / "data" / source.name
            shutil.copy(source, copy)
            copy.chmod(0o600)
            if self._as_user:
                shutil.chown(copy, "postgres", "postgres")
        rules = self._folder / "data" / "pg_hba.conf"
        rules.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")

    @property
    def url(self) -> str:
        """URL of the server owner's database."""
        address = f"{self.address}/postgres"
        if self._certificates is None:
            return f"postgresql://postgres@{address}"
        query = urlencode(
            {"sslmode": "verify-full", "sslrootcert": str(self._certificates.authority)}
        )
        return f"postgresql://postgres:{self._password}@{address}?{query}"

    def start(self) -> None:
        """Start the server on the same port as before and wait until it answers."""
        settings = {
            "listen_addresses": programs.HOST,
            "port": self._port,
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
        }
        if self._certificates:
            settings |= {
                "ssl": "on",
                "ssl_cert_file": self._certificates.certificate.name,
                "ssl_key_file": self._certificates.key.name,
            }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = programs.start(
            [str(self._program), "-D", "data", *options, *self._options],
            self._folder,
            self._answers,
            within=30,
            **self._as_user,
        )

    def stop(self) -> None:
        """Stop the server; open connections are closed."""
        if self._process:
            programs.end(self._process, signal.SIGINT, signal.SIGQUIT)

    def stop_at_once(self) -> None:
        """Stop the server without a checkpoint, as `pg_ctl stop -m immediate` does."""
        if self._process:
            programs.end(self._process, signal.SIGQUIT)

    def kill(self) -> None:
        """Kill the server and its backends, as a power cut does.

        Backends that only notice that the server is gone stop waiting for the standby, and others may then
        see, for a moment, a commit that the standby has not (`SyncRepWaitForLSN` in PostgreSQL's source).
        """
        if self._process:
            self._process.send_signal(signal.SIGSTOP)  # It would start new ones.
            for backend in programs.children(self._process.pid):
                os.kill(backend, signal.SIGKILL)
            programs.end(self._process)

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        shutil.rmtree(self._folder)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def own_postgres(
    certificates: Certificates | None = None, password: str = "", options: Sequence[str] = ()
) -> Iterator[OwnPostgres]:
    """A separate server, which the test may stop."""
    server = OwnPostgres(certificates, password, options)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a shared server, with permission to create databases."""
    if configured := os.environ.get("CHECKOUT_TEST_POSTGRES_URL"):
        yield configured
        return
    with own_postgres() as server:
        yield server.url


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """URL of an empty database, which is dropped afterwards even if connections are open."""
    name = f"checkout_test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server_url, autocommit=True) as admin:
            admin.execute("SET synchronous_commit = local")  # Waits for no standby that is gone.
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
