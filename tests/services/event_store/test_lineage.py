"""The identity of a store's history."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.event_store import EventStore, open_store
from tests.services.event_store.conftest import OpenStore


def test_a_store_keeps_its_lineage_when_it_is_opened_again(open_another: OpenStore):
    first = open_another()
    made = first.lineage()
    first.close()
    assert open_another().lineage() == made
    assert made.epoch == 0


def test_processes_that_open_an_empty_database_at_once_agree_on_one_lineage(
    open_another: OpenStore,
):
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: open_another(), range(8)))
    assert len({store.lineage() for store in stores}) == 1


def test_two_stores_have_two_lineages(tmp_path: Path):
    stores = [open_store(f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "two")]
    assert len({store.lineage().lineage for store in stores}) == 2
    for store in stores:
        store.close()


def test_a_new_epoch_is_seen_by_every_process_and_keeps_the_lineage(
    store: EventStore, open_another: OpenStore
):
    before = store.lineage()
    begun = store.begin_epoch()
    assert begun == open_another().lineage() == store.lineage()
    assert begun.lineage == before.lineage


def test_an_epoch_is_numbered_by_the_time_when_it_began_and_always_rises(store: EventStore):
    earliest = int(time.time())
    first, second = store.begin_epoch(), store.begin_epoch()

    assert earliest <= first.epoch <= time.time()
    assert first.epoch < second.epoch
