"""Opening a store, and what an operator is told when it can't be."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.event_store import EventStore, StoreUnavailable, open_store
from services.event_store.recorder import StreamRange
from tests.services.event_store.conftest import OpenStore
from tests.services.event_store.samples import event, stream


def test_stores_opened_at_once_on_an_empty_database_all_work(open_another: OpenStore):
    many = 12
    with ThreadPoolExecutor(many) as pool:
        stores = list(pool.map(lambda _: open_another(), range(many)))
    for number, store in enumerate(stores):
        store.append([event(f"checkout-{number}", 1)])
    assert len(stores[0].tail(0, 100)) == many


def test_a_store_that_is_opened_again_has_what_was_written(open_another: OpenStore):
    first = open_another()
    first.append(stream("one", 1, 3))
    first.advance("relay", 2)
    first.close()
    second = open_another()
    assert second.read((), [StreamRange("one")]).streams["one"] == stream("one", 1, 3)
    assert second.position("relay") == 2


@pytest.mark.parametrize(
    ("url", "beginning"),
    [
        ("mysql://root:secret@localhost/checkout", "'mysql:'"),
        ("sqlite:checkout.db", "'sqlite:'"),
        ("sqlite://checkout.db", "'sqlite:'"),
        ("checkout.db", "'checkout.db'"),
        ("", "''"),
    ],
)
def test_another_scheme_is_named_and_nothing_else_of_the_url(url: str, beginning: str):
    with pytest.raises(ValueError, match="must begin with sqlite:/// or postgresql://") as raised:
        open_store(url)
    assert str(raised.value).endswith(f"not with {beginning}")


@pytest.mark.parametrize(
    "url", ["postgresql://u:secret@h/x?colour=red", "postgresql://u:secret%zz@h/x"]
)
def test_a_broken_postgres_url_is_refused_without_quoting_its_password(url: str):
    with pytest.raises(ValueError, match="is not a PostgreSQL URL") as raised:
        open_store(url)
    assert "secret" not in str(raised.value)


def test_sqlite_makes_its_folder(tmp_path: Path, opened: Callable[[str], EventStore]):
    opened(f"sqlite:///{tmp_path}/data/deep/events.db").append([event("one", 1)])
    assert (tmp_path / "data/deep/events.db").exists()


def test_sqlite_takes_a_path_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Callable[[str], EventStore]
):
    monkeypatch.chdir(tmp_path)
    opened("sqlite:///data/events.db")
    assert (tmp_path / "data/events.db").exists()


@pytest.mark.parametrize("name", ["50%25.db", "a b.db", "what?.db", "no#1.db", "Zoë.db"])
def test_sqlite_takes_a_path_as_it_is_written(
    tmp_path: Path, name: str, opened: Callable[[str], EventStore]
):
    opened(f"sqlite:///{tmp_path}/{name}")
    assert (tmp_path / name).exists()


def test_a_file_that_is_no_database_makes_sqlite_unavailable(tmp_path: Path):
    (tmp_path / "events.db").write_text("dear diary, " * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        open_store(f"sqlite:///{tmp_path}/events.db")


def test_a_folder_that_cannot_be_made_makes_sqlite_unavailable(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file"):
        open_store(f"sqlite:///{tmp_path}/file/events.db")


def test_a_store_that_is_closed_is_unavailable(store: EventStore):
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable):
        store.append([event("one", 1)])
