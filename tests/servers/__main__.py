"""`make servers`: real servers for running the services manually."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.security.token_encryption import new_key_line
from tests.servers.kafka import own_kafka
from tests.servers.postgres import own_postgres
from tests.servers.redis import own_redis

_BOOK = Path(__file__).parents[2] / "domain" / "demo_book.toml"
_HINT = """
# Paste the lines above into each shell, and then, each service on its own port:
#   .venv/bin/checkout topics
#   .venv/bin/checkout keys create me --scope checkouts:read --scope checkouts:write
#   CHECKOUT_HTTP_PORT=8000 .venv/bin/checkout api
#   CHECKOUT_HTTP_PORT=8001 .venv/bin/checkout commands
#   CHECKOUT_HTTP_PORT=8002 .venv/bin/checkout relay
#   CHECKOUT_HTTP_PORT=8003 .venv/bin/checkout projector
#   CHECKOUT_HTTP_PORT=8004 .venv/bin/checkout payments
# Ctrl-C stops the servers and deletes their data."""


def main() -> None:
    """Start the servers, print the settings to export, and run until SIGINT or SIGTERM."""
    stop_requested = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop_requested.set())
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="checkout-servers-"))
        kafka = stack.enter_context(own_kafka())
        postgres = stack.enter_context(own_postgres())
        redis = stack.enter_context(own_redis(["--maxmemory-policy", "noeviction"]))
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "EVENT_STORE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "MERCHANT_FILE": _BOOK,
            "API_KEYS_FILE": Path(folder) / "api-keys.json",
            "TOKEN_KEYS": new_key_line("servers").strip(),
            "PAYMENT_PROVIDER": "test",
            "PAYMENT_TEST_FILE": Path(folder) / "test-payments.db",
        }
        for name, value in settings.items():
            sys.stdout.write(f"export CHECKOUT_{name}='{value}'\n")
        sys.stdout.write(f"{_HINT}\n")
        sys.stdout.flush()
        stop_requested.wait()


if __name__ == "__main__":
    try:
        main()
    except pytest.skip.Exception as lacking:
        sys.exit(str(lacking))
