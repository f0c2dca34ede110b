"""`checkout` as a person or a script runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(sys.executable).with_name("checkout")


def checkout(
    *arguments: object, text: str | None = None, **environment: object
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with no setting but those given, and `text` as standard input."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CHECKOUT_")}
    return subprocess.run(
        [CHECKOUT, *map(str, arguments)],
        input=text or "",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=clean | {"COLUMNS": "200"} | {name: str(value) for name, value in environment.items()},
    )
