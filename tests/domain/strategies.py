"""Strategies for what may be asked of a checkout, by whom and when."""

from datetime import timedelta

from hypothesis import strategies as st

from tests.domain import given
from tests.domain.books import BARE, BOOK, DEARER, FREE

books = st.sampled_from([BOOK, DEARER, FREE, BARE])
items = st.lists(
    st.builds(
        given.item,
        st.sampled_from(["mug", "novel", "pen", "card", "stamp"]),
        st.integers(1, 10) | st.just(10_000),
    ),
    unique_by=lambda item: item["id"],
    max_size=4,
)
buyers = st.none() | st.sampled_from([given.ADA, given.BOB])
addresses = st.none() | st.sampled_from(
    [given.CALIFORNIA, given.NEW_YORK, given.BERLIN, given.PARIS, given.address("US", "ca")]
)
choices = st.none() | st.sampled_from(["ground", "courier", "express", "parcel"])
optional = {"buyer": buyers, "fulfillment_address": addresses, "fulfillment_option_id": choices}
lines = {"items": items.filter(bool)}
ready = {
    **lines,
    "buyer": buyers,
    "fulfillment_address": st.sampled_from([given.CALIFORNIA, given.BERLIN]),
}
creates = st.fixed_dictionaries(lines, optional=optional) | st.fixed_dictionaries(ready)
updates = st.fixed_dictionaries({}, optional={"items": items, **optional})
completes = st.builds(
    lambda provider, buyer: {
        "payment_data": {"token": "spt_secret", "provider": provider},
        "buyer": buyer,
    },
    st.sampled_from(["stripe", "stripe", "stripe", "cash"]),
    buyers,
)
payment_ids = st.sampled_from(["pay_1", "pay_2"])
seen = st.sampled_from([None, None, None, "last", "stale"])
clock = st.integers(-5, 5).map(lambda seconds: timedelta(seconds=seconds))
