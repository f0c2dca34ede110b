"""`checkout payments reconcile`: exit 0 when provider and store agree, or 1 and a line per difference."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from domain.payment import attempt_id_of
from services.event_store import open_store
from services.payment_worker.payment_gateway import Charge
from services.payment_worker.providers.test.gateway import FakeGateway
from tests.services.command_line import checkout
from tests.services.payment_worker.scripted import claimed, start_payments, work_on


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path / 'events.db'}")
    yield opened
    opened.close()


@pytest.fixture
def provider(tmp_path):
    return FakeGateway(tmp_path / "ledger.db")


@pytest.fixture
def order(store, provider):
    """A checkout `a` that was paid at the test provider, by an attempt with a token that it takes."""
    start_payments(store, "a")
    attempt = claimed(store, time.time())
    return asyncio.run(work_on(attempt, store, _Taking(provider)))


class _Taking:
    """The test provider, which gets a token that it takes, whatever the buyer sent."""

    def __init__(self, provider):
        self._provider = provider

    async def charge(self, charge):
        return await self._provider.charge(
            Charge(charge.attempt_id, charge.checkout_id, charge.amount, charge.currency, "spt_ok")
        )

    def __getattr__(self, name):
        return getattr(self._provider, name)


@pytest.fixture
def reconcile(tmp_path):
    def run(*arguments, **settings):
        return checkout(
            "payments",
            "reconcile",
            *arguments,
            CHECKOUT_EVENT_STORE_URL=f"sqlite:///{tmp_path / 'events.db'}",
            CHECKOUT_PAYMENT_PROVIDER="test",
            CHECKOUT_PAYMENT_TEST_FILE=tmp_path / "ledger.db",
            **settings,
        )

    return run


def lose(store, provider):
    """A payment at the provider for a checkout that the store does not have."""
    attempt_id = attempt_id_of(store.lineage().lineage, "gone", 4)
    charge = Charge(attempt_id, "gone", 1250, "usd", "spt_ok")
    return asyncio.run(provider.charge(charge)).payment_id


def test_where_all_agree_the_last_line_counts_what_was_compared(reconcile, order):
    ended = reconcile()

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        "1 payments at the provider and 1 paid orders compared, 0 payments in work, 0 differences\n"
    )


def test_each_difference_is_a_line_and_the_exit_status_is_1(reconcile, order, store, provider):
    lost = lose(store, provider)

    ended = reconcile()

    assert ended.returncode == 1
    difference, counts = ended.stdout.splitlines()
    told = "1250 usd paid, and not in the store: there is no such checkout"
    assert difference == f"gone {lost}: {told}"
    assert counts.endswith(" 1 differences")


def test_a_script_gets_a_json_line_for_each_and_one_that_counts(reconcile, store, provider):
    lost = lose(store, provider)

    ended = reconcile("--json")

    difference, counts = map(json.loads, ended.stdout.splitlines())
    assert ended.returncode == 1
    assert (difference["difference"], difference["payment_id"]) == ("not_in_store", lost)
    assert counts == {"reconciled": {"payments": 1, "orders": 0, "in_work": 0, "differences": 1}}


def test_what_was_paid_before_since_is_left_out(reconcile, store, provider):
    lose(store, provider)
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()

    assert reconcile("--since", soon).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "settings", "told"),
    [
        (["--since", "yesterday"], {}, "yesterday is no RFC 3339 date and time"),
        ([], {"CHECKOUT_PAYMENT_PROVIDER": ""}, "CHECKOUT_PAYMENT_PROVIDER"),
        ([], {"CHECKOUT_PAYMENT_PROVIDER": "stripe"}, "CHECKOUT_STRIPE_KEY"),
    ],
)
def test_bad_usage_names_what_is_wrong(store, tmp_path, arguments, settings, told):
    environment = {
        "CHECKOUT_EVENT_STORE_URL": f"sqlite:///{tmp_path / 'events.db'}",
        "CHECKOUT_PAYMENT_PROVIDER": "test",
    }
    ended = checkout("payments", "reconcile", *arguments, **environment | settings)

    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_provider_that_can_not_be_reached_ends_it_with_a_line(store, tmp_path, unused_tcp_port):
    ended = checkout(
        "payments",
        "reconcile",
        CHECKOUT_EVENT_STORE_URL=f"sqlite:///{tmp_path / 'events.db'}",
        CHECKOUT_PAYMENT_PROVIDER="stripe",
        CHECKOUT_STRIPE_KEY="sk_test_1",
        CHECKOUT_STRIPE_URL=f"http://127.0.0.1:{unused_tcp_port}",
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "the provider's payments can't be read: Stripe can't be reached" in ended.stderr
    assert "Traceback" not in ended.stderr
