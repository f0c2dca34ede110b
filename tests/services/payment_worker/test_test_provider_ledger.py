"""The test provider's books: one charge for an attempt, whoever asks, however often, whatever is killed."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from services.payment_worker.payment_gateway import Charge, Paid, Undecided
from services.payment_worker.providers.test.gateway import FakeGateway
from services.payment_worker.providers.test.ledger import ChargeLedger
from tests.eventually import eventually
from tests.services.payment_worker.given import a_charge


def asking(path: Path, times: int, token: str, *attempts: str) -> subprocess.Popen[bytes]:
    module = "tests.services.payment_worker.concurrent_charge_process"
    command = [sys.executable, "-m", module, str(path), str(times), token, *attempts]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def begin(*processes: subprocess.Popen[bytes]) -> None:
    """Have them begin together, once all are ready."""
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()


def test_fifty_asks_at_once_from_three_processes_are_one_charge(tmp_path: Path):
    path = tmp_path / "payments.db"
    attempts = [f"attempt_{n}" for n in range(20)]
    processes = [asking(path, times, "spt_123", *attempts) for times in (17, 17, 16)]
    begin(*processes)
    said = Counter(one for p in processes for one in json.loads(p.communicate(timeout=60)[0]))
    record = ChargeLedger(path).charges()
    assert sorted(charge.attempt_id for charge in record) == sorted(attempts)
    assert {charge.calls for charge in record} == {50}
    assert said == {repr(Paid(charge.payment_id or "")): 50 for charge in record}


async def test_a_charge_outlives_the_process_that_asked_for_it(tmp_path: Path):
    path = tmp_path / "payments.db"
    record = ChargeLedger(path)
    process = asking(path, 1, "spt_crash", "attempt_1")
    begin(process)
    eventually(lambda: any(charge.payment_id for charge in record.charges()), within=30)
    process.kill()
    process.communicate()
    (charge,) = record.charges()
    repeated = await FakeGateway(path).charge(a_charge("spt_crash"))
    assert repeated == Paid(charge.payment_id or "")


@pytest.mark.parametrize(
    "other",
    [
        a_charge("spt_123", amount=1),
        a_charge("spt_123", currency="eur"),
        a_charge("spt_123", checkout_id="checkout_2"),
        a_charge("spt_ok"),
    ],
    ids=repr,
)
async def test_an_attempt_that_changes_is_for_a_person(tmp_path: Path, other: Charge):
    provider = FakeGateway(tmp_path / "payments.db")
    paid = await provider.charge(a_charge("spt_123"))
    with pytest.raises(Undecided) as undecided:
        await provider.charge(other)
    assert undecided.value.needs_hand
    assert await provider.charge(a_charge("spt_123")) == paid
    (charge,) = provider.charges()
    assert (charge.amount, charge.currency, charge.calls) == (2650, "usd", 3)


async def test_a_refund_is_made_once_however_often_it_is_asked(tmp_path: Path):
    provider = FakeGateway(tmp_path / "payments.db")
    paid = await provider.charge(a_charge("spt_123"))
    assert isinstance(paid, Paid)
    assert not provider.charges()[0].refunded
    await provider.refund(paid.payment_id, "attempt_1")
    first = provider.charges()[0]
    await provider.refund(paid.payment_id, "attempt_1")
    again = provider.charges()[0]
    assert first.refunded
    assert (first.refunded_at, first.refund_calls) == (again.refunded_at, again.refund_calls - 1)
    await provider.close()


async def test_a_refund_of_what_was_never_paid_is_for_a_person(tmp_path: Path):
    provider = FakeGateway(tmp_path / "payments.db")
    await provider.charge(a_charge("spt_declined"))
    for payment_id, attempt_id in [("pay_1", "attempt_1"), ("pay_1", "attempt_2")]:
        with pytest.raises(Undecided) as undecided:
            await provider.refund(payment_id, attempt_id)
        assert undecided.value.needs_hand


async def test_each_attempt_is_a_charge_of_its_own_in_the_order_of_the_asks(tmp_path: Path):
    provider = FakeGateway(tmp_path / "payments.db")
    for n in range(3):
        await provider.charge(a_charge("spt_123", attempt_id=f"attempt_{n}"))
    record = provider.charges()
    assert [charge.attempt_id for charge in record] == ["attempt_0", "attempt_1", "attempt_2"]
    assert len({charge.payment_id for charge in record}) == 3


def test_the_books_show_no_token(tmp_path: Path):
    provider = FakeGateway(tmp_path / "payments.db")
    asyncio.run(provider.charge(a_charge("spt_ok_secret")))
    files = list(tmp_path.iterdir())
    assert files
    assert not any(b"spt_ok" in file.read_bytes() for file in files)
    assert "spt_ok" not in repr(provider.charges())
