"""What must hold before the relay may publish: its position is an event that the store still has, and the
topic still has what was published.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.event_store.publication import Publication, RelayState


def position_problem(state: RelayState) -> str | None:
    """Why the store is not the one that the relay published from, None if it is."""
    if state.stopped:
        return state.stopped
    position, last, found = state.publication.position, state.publication.last, state.found
    if not position:
        return None
    # Not known if an operator or an earlier build moved the position, or the event there is set aside.
    is_known = last is not None and last.position == position
    if is_known and found == last:
        return None
    if state.newest < position:
        return (
            f"the relay's position {position} is ahead of the store's newest event at "
            f"{state.newest}: events were lost or renumbered. {_WAY_OUT}"
        )
    if last is None or not is_known:
        return None
    has = f"{found.checkout_id} version {found.version}" if found else "no event"
    return (
        f"at position {last.position} the relay published {last.checkout_id} version {last.version}, "
        f"and the store, whose newest event is at {state.newest}, has {has} there: events were lost or "
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
