"""A store is restored to before a payment: the buyer who clicks again is not charged again."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.commands import Command, UpdateCheckout
from domain.values import Status
from services.event_store import Attempt, EventStore, open_store
from services.payment_worker.providers.test.gateway import FakeGateway
from services.payment_worker.providers.test.ledger import LedgerEntry
from tests.services.command_handling.given import envelope, handler_on
from tests.services.command_handling.paying import AMOUNT, complete, ready
from tests.services.payment_worker.scripted import checkout, claimed, work_on


class Shop:
    """A store in an SQLite file that can be restored, and a provider whose ledger no restore changes."""

    def __init__(self, folder: Path) -> None:
        self._file, self._backup = folder / "events.db", folder / "backup.db"
        self.store: EventStore = self._open()
        self.provider = FakeGateway(folder / "ledger.db")

    def _open(self) -> EventStore:
        return open_store(f"sqlite:///{self._file}")

    def back_up(self) -> None:
        with (
            closing(sqlite3.connect(self._file)) as source,
            closing(sqlite3.connect(self._backup)) as copy,
        ):
            source.backup(copy)

    def restore(self) -> None:
        self.store.close()
        for file in self._file.parent.glob("events.db*"):
            file.unlink()
        shutil.copy(self._backup, self._file)
        self.store = self._open()

    def handle(self, *commands: Command) -> None:
        handler = handler_on(self.store, lambda: datetime.now(UTC))
        handler.handle([envelope(command) for command in commands])

    def open(self) -> None:
        handler_on(self.store, lambda: datetime.now(UTC)).handle([ready()])

    async def pay(self, token: str = "spt_ok") -> Attempt:
        """Complete the checkout, by a command of its own, and do a worker's work on it."""
        handler_on(self.store, lambda: datetime.now(UTC)).handle([complete(token=token)])
        return await work_on(claimed(self.store, time.time()), self.store, self.provider)

    def charges(self) -> list[LedgerEntry]:
        return [entry for entry in self.provider.charges() if entry.payment_id]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    shop.open()
    shop.back_up()
    yield shop
    shop.store.close()


def quantity(number: int) -> UpdateCheckout:
    return UpdateCheckout.parse({"items": [{"id": "item_123", "quantity": number}]})


async def test_in_a_new_epoch_the_lost_payment_is_taken_whatever_token_the_buyer_sends(shop: Shop):
    lost = await shop.pay("spt_ok_first")

    shop.restore()
    shop.store.begin_epoch()
    again = await shop.pay("spt_ok_second")

    [charge] = shop.charges()
    assert (charge.payment_id, charge.calls) == (lost.payment_id, 1)
    assert (again.state, again.payment_id) == ("settled", charge.payment_id)
    assert checkout(shop.store).payment.id == charge.payment_id


async def test_a_restore_that_nobody_noticed_gets_the_first_answer_under_the_same_key(shop: Shop):
    lost = await shop.pay()

    shop.restore()
    again = await shop.pay()

    [charge] = shop.charges()
    assert (charge.payment_id, charge.amount, charge.calls) == (lost.payment_id, AMOUNT, 2)
    assert again.attempt_id == lost.attempt_id
    assert checkout(shop.store).payment.id == charge.payment_id


async def test_a_payment_of_another_version_is_found_in_a_new_epoch(shop: Shop):
    shop.handle(quantity(2), quantity(1))
    lost = await shop.pay()

    shop.restore()
    shop.store.begin_epoch()
    again = await shop.pay()

    assert again.attempt_id != lost.attempt_id
    assert [charge.payment_id for charge in shop.charges()] == [lost.payment_id]
    assert checkout(shop.store).payment.id == lost.payment_id


def announce_the_loss(shop: Shop) -> None:
    shop.store.begin_epoch()


@pytest.mark.parametrize(
    "notice", [announce_the_loss, lambda _: None], ids=["noticed", "unnoticed"]
)
async def test_a_lost_payment_of_another_amount_is_for_an_operator(
    shop: Shop, notice: Callable[[Shop], None]
):
    shop.handle(quantity(2))
    lost = await shop.pay()

    shop.restore()
    notice(shop)
    shop.handle(quantity(3))
    again = await shop.pay()

    assert again.attempt_id == lost.attempt_id
    assert again.state == "by_hand"
    assert [charge.payment_id for charge in shop.charges()] == [lost.payment_id]
    assert checkout(shop.store).status is Status.IN_PROGRESS


async def test_a_lost_payment_that_was_refunded_does_not_make_an_order(shop: Shop):
    lost = await shop.pay()
    await shop.provider.refund(lost.payment_id, lost.attempt_id)

    shop.restore()
    shop.store.begin_epoch()
    again = await shop.pay()

    assert (again.state, len(shop.charges())) == ("by_hand", 1)
    assert checkout(shop.store).status is Status.IN_PROGRESS


async def test_an_attempt_that_the_backup_holds_open_is_not_charged_again(shop: Shop):
    handler_on(shop.store, lambda: datetime.now(UTC)).handle([complete(token="spt_ok")])
    shop.back_up()
    lost = await work_on(claimed(shop.store, time.time()), shop.store, shop.provider)

    shop.restore()
    shop.store.begin_epoch()
    again = await work_on(claimed(shop.store, time.time()), shop.store, shop.provider)

    assert [charge.calls for charge in shop.charges()] == [1]
    assert again.payment_id == lost.payment_id
    assert checkout(shop.store).payment.id == lost.payment_id
