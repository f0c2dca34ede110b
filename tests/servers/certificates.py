"""A certificate authority for the tests and a server certificate for 127.0.0.1."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.servers import programs

_NAMES = f"subjectAltName=IP:{programs.HOST},DNS:localhost"


@dataclass(frozen=True)
class Certificates:
    """PEM files: the authority's certificate, the server's certificate, its key, and both in one file."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The authority's certificate, which clients trust."""
        return self.folder / "authority.pem"

    @property
    def certificate(self) -> Path:
        """The server's certificate."""
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        """The server's private key."""
        return self.folder / "server.key"

    @property
    def key_and_certificate(self) -> Path:
        """Key and certificate in one file, as a Kafka broker's key store."""
        return self.folder / "server.store.pem"


@contextmanager
def certificates() -> Iterator[Certificates]:
    """Create the certificates in a temporary folder."""
    if shutil.which("openssl") is None:
        programs.missing("openssl", "apt-get install openssl")
    with TemporaryDirectory(prefix="checkout-certificates-") as folder:
        made = Certificates(Path(folder))
        new = "req -x509 -newkey rsa:2048 -nodes -days 2".split()
        authority = ["-keyout", "authority.key", "-out", made.authority.name]
        _openssl(made.folder, *new, "-subj", "/CN=tests", *authority)
        signed = ["-CA", made.authority.name, "-CAkey", "authority.key"]
        server = ["-keyout", made.key.name, "-out", made.certificate.name]
        options = ["-subj", "/CN=server", "-addext", _NAMES]
        not_an_authority = ["-addext", "basicConstraints=critical,CA:FALSE"]
        _openssl(made.folder, *new, *options, *not_an_authority, *signed, *server)
        made.key_and_certificate.write_text(made.key.read_text() + made.certificate.read_text())
        yield made


def _openssl(folder: Path, *arguments: str) -> None:
    ended = subprocess.run(
        ["openssl", *arguments], cwd=folder, check=False, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
