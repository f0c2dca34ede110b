"""What must hold before the relay may publish: its position is an event that the store still has, and the
topic still has what was published.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.event_store import EventStore
from services.event_store.publication import Publication


def position_problem(store: EventStore, publication: Publication) -> str | None:
    """Why the store is not the one that the relay published from, None if it is."""
    if stopped := store.write_guard.reason():
        return stopped
    if not publication.position:
        return None
    last = publication.last
    # Not known if an operator or an earlier build moved the position.
    is_known = last is not None and last.position == publication.position
    row = next(iter(store.rows(publication.position - 1, 1)), None) if is_known else None
    found = row if row and row.position == publication.position else None
    if last and found and (found.checkout_id, found.version) == (last.checkout_id, last.version):
        return None
    newest = store.newest()
    if newest < publication.position:
        return (
            f"the relay's position {publication.position} is ahead of the store's newest event at "
            f"{newest}: events were lost or renumbered. {_WAY_OUT}"
        )
    if last is None or not is_known:
        return None
    has = f"{found.checkout_id} version {found.version}" if found else "no event"
    return (
        f"at position {last.position} the relay published {last.checkout_id} version {last.version}, "
        f"and the store, whose newest event is at {newest}, has {has} there: events were lost or "
        f"renumbered. {_WAY_OUT}"
    )


def topic_problem(publication: Publication, topic: str, ends: Mapping[int, int]) -> str | None:
    """Why the topic does not have what was published, None if it may have it.

    `ends` are the end offsets of all its partitions.
    """
    if not publication.position:
        return None
    if publication.topic != topic:
        if any(ends.values()):
            return None
        return (
            f"{topic} is empty, and the relay is at position {publication.position}. {_REPUBLISH}"
        )
    for number, published in sorted(publication.ends.items()):
        end = ends.get(number, 0)
        if end < published:
            return (
                f"{topic} partition {number} ends at offset {end}, and the relay has published up to "
                f"{published}: the topic was deleted or lost records. {_REPUBLISH}"
            )
    return None


_REPUBLISH = (
    "Nothing is published until `checkout events republish` publishes the stored events again"
)
_WAY_OUT = (
    "Nothing is published: `checkout store restored` imports what only Kafka has, and "
    "`checkout events republish --from POSITION` goes on from a position of the store"
)
