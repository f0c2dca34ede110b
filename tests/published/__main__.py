"""`python -m tests.published` checks the published schemas; `--renew` updates them."""

from __future__ import annotations

import sys

from services.messages.message_schemas import message_schemas
from services.messages.schema_export import export
from tests.published.check import SCHEMAS, findings


def main(renew: bool) -> int:
    """Check or update; returns 1 for a breaking change or an outdated published file, else 0."""
    found = findings(SCHEMAS, message_schemas())
    if renew and not found.broken:
        export(SCHEMAS)
        return 0
    for finding in (*found.broken, *([] if renew else found.behind)):
        sys.stderr.write(f"{finding}\n")
    return 1 if found.broken or found.behind else 0


if __name__ == "__main__":
    sys.exit(main("--renew" in sys.argv[1:]))
