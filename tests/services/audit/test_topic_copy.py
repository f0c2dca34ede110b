"""The records of the events' topic, put down to be asked for by checkout and version."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from services.event_store import EventStore
from services.kafka.topic_copy import Digests, TopicCopy, identity_of
from services.messages.event_messages import event_message
from tests.services.audit.given import Shop


@dataclass
class Record:
    """A record as a consumer hands it out."""

    partition: int
    offset: int
    key: bytes | None = b"a"
    value: bytes | None = b"{}"
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def copied(*records: tuple[str, int, int]) -> TopicCopy:
    """Records of these checkouts and versions, in these partitions, in this order."""
    copy = TopicCopy()
    for offset, (checkout_id, version, partition) in enumerate(records):
        copy.add((checkout_id, version), Record(partition, offset))
    copy.finish()
    return copy


def disorders(copy: TopicCopy, *trimmed: int) -> list[tuple[str, int]]:
    return [(it.checkout_id, it.version) for it in copy.disorders(trimmed)]


IN_ORDER = {
    "one after the other": [("a", 1, 0), ("b", 1, 0), ("a", 2, 0), ("b", 2, 0)],
    "with repeats": [("a", 1, 0), ("a", 2, 0), ("a", 1, 0), ("a", 2, 0), ("a", 3, 0)],
    "with a hole, which is told elsewhere": [("a", 1, 0), ("a", 4, 0)],
}
OUT_OF_ORDER = {
    "the other way round": ([("a", 2, 0), ("a", 1, 0)], [("a", 1)]),
    "one too late": ([("a", 1, 0), ("a", 3, 0), ("a", 2, 0)], [("a", 2)]),
    "elsewhere": ([("a", 1, 0), ("a", 2, 1)], [("a", 2)]),
}


@pytest.mark.parametrize("records", IN_ORDER.values(), ids=IN_ORDER)
def test_what_comes_in_order_is_passed_over(records):
    assert disorders(copied(*records)) == []


@pytest.mark.parametrize(("records", "told"), OUT_OF_ORDER.values(), ids=OUT_OF_ORDER)
def test_what_comes_out_of_order_is_told(records, told):
    assert disorders(copied(*records)) == told


def test_what_a_trimmed_partition_had_before_may_come_again():
    again = copied(("a", 3, 0), ("a", 1, 0), ("a", 2, 0), ("a", 3, 0), ("a", 4, 0))

    assert disorders(again) == [("a", 1), ("a", 2)]
    assert disorders(again, 0) == []


def test_each_record_of_an_event_is_found_with_its_place():
    copy = copied(("a", 1, 0), ("ab", 1, 0), ("a", 1, 0))

    assert [it.place for it in copy.find("a", 1)] == ["0:0", "0:2"]
    assert copy.find("a", 2) == []
    assert list(copy.identities()) == [("a", 1), ("ab", 1)]
    assert copy.count == 3


def test_a_record_is_told_from_the_store_s_by_value_and_by_headers(shop: Shop, store: EventStore):
    shop.create()
    message = event_message("t", store.stream_rows("a", 0, 1)[0].event())
    ours = Digests.of(message)

    def read(**other: object) -> Digests:
        facts = {"key": message.key, "value": message.value, "headers": message.headers}
        copy = TopicCopy()
        copy.add(("a", 1), Record(0, 0, **(facts | other)))
        copy.finish()
        return copy.find("a", 1)[0].digests

    assert read() == read(headers=message.headers[::-1]) == ours
    assert read(value=b"{}").value != ours.value
    assert read(key=b"b").value != ours.value
    assert read(headers=message.headers[1:]).headers != ours.headers
    assert read(value=None).value != read(value=b"").value


@pytest.mark.parametrize(
    ("subject", "sequence", "told"),
    [
        (b"a", b"%020d" % 7, ("a", 7)),
        (b"a", b"7", None),
        (b"a", b"%020d" % 0, None),
        (b"a", b"9" * 20, None),
        (b"a b", b"%020d" % 7, None),
        (b"", b"", None),
    ],
)
def test_an_event_is_known_by_its_subject_and_sequence(subject, sequence, told):
    headers = [("ce_subject", subject), ("ce_sequence", sequence)]
    assert identity_of(Record(0, 0, headers=headers)) == told
