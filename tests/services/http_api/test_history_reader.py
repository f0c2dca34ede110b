"""The past is read as far as it is asked for, from either database, however long a stream is."""

import itertools
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.checkout import fold
from projections.registry import render_view
from services.event_store import open_store
from services.event_store.recorder import LATEST
from services.http_api.history_reader import HistoryReader
from tests.servers.postgres import fresh_database
from tests.services.event_store.samples import AT, event

LONG = 1_234
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request, tmp_path_factory):
    """One checkout with a long past, between others, and two events in each second of it."""
    folder = tmp_path_factory.mktemp("past")
    if request.param == "sqlite":
        opened = open_store(f"sqlite:///{folder}/events.db")
        yield with_a_past(opened)
        opened.close()
        return
    with fresh_database(request.getfixturevalue("postgres_url")) as url:
        opened = open_store(url)
        yield with_a_past(opened)
        opened.close()


def past_of(checkout_id, length=LONG):
    return [replace(event(checkout_id, n), at=AT + n // 2 * SECOND) for n in range(1, length + 1)]


def with_a_past(store):
    for checkout_id in ("a", "b", "c"):
        store.append(past_of(checkout_id, LONG if checkout_id == "b" else 3))
    return store


class Counted:
    """Passes reads on and keeps the most events that one of them brought."""

    def __init__(self, store):
        self.store = store
        self.known_lineage = store.known_lineage
        self.most = 0

    def read(self, keys, streams):
        snapshot = self.store.read(keys, streams)
        self.most = max(self.most, *map(len, snapshot.streams.values()), 0)
        return snapshot

    def stream_rows(self, *asked, within):
        rows = self.store.stream_rows(*asked, within=within)
        self.most = max(self.most, len(rows))
        return rows

    def version(self, checkout_id):
        return self.store.version(checkout_id)


@pytest.mark.parametrize("version", [1, 2, 499, 500, 501, 1_000, 1_001, LONG])
def test_a_version_is_the_fold_of_the_events_up_to_it(store, version):
    expected = render_view(fold(past_of("b")[:version]))

    assert HistoryReader(store).view_at("b", version) == expected


@pytest.mark.parametrize("version", [LONG + 1, LONG + 500, 10**18, LATEST])
def test_there_is_no_version_beyond_the_last(store, version):
    assert HistoryReader(store).view_at("b", version) is None
    assert HistoryReader(store).view_at("nobody", version) is None


@pytest.mark.parametrize("seconds", [0, 1, 249, 250, 251, 500, LONG // 2, LONG])
def test_of_the_events_of_one_time_the_last_one_counts(store, seconds):
    last = min(2 * seconds + 1, LONG)

    assert HistoryReader(store).view_at("b", AT + seconds * SECOND).version == last
    later = HistoryReader(store).view_at("b", AT + (seconds + 0.999) * SECOND)
    assert later.version == last


def test_before_the_first_event_there_was_nothing(store):
    assert HistoryReader(store).view_at("b", AT - timedelta(microseconds=1)) is None


@pytest.mark.parametrize("moment", [LONG, AT + LONG * SECOND])
def test_a_long_past_is_never_in_memory_at_once(store, moment):
    counted = Counted(store)

    assert HistoryReader(counted).view_at("b", moment).version == LONG
    assert 0 < counted.most <= 500


@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_a_page_reads_no_more_than_it_needs(store, limit):
    counted = Counted(store)
    reader, found = HistoryReader(counted), []

    for after in itertools.count(step=limit):
        page = json.loads(reader.events_after("b", after, limit))
        found += [int(told["sequence"]) for told in page["data"]]
        if not page["has_more"]:
            break
    assert found == list(range(1, LONG + 1))
    assert counted.most == min(limit + 1, LONG)


def test_a_page_after_the_end_is_empty_and_one_of_nobody_is_none(store):
    reader = HistoryReader(store)

    assert json.loads(reader.events_after("b", LONG, 10)) == {"data": [], "has_more": False}
    assert json.loads(reader.events_after("b", 10**18, 10)) == {"data": [], "has_more": False}
    assert reader.events_after("nobody", 0, 10) is None
