"""Only what every parser reads alike is JSON here."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rejection import Rejection, RejectionCode
from services.messages.strict_json import canonical_json, parse_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_plain_json_is_read_as_any_parser_reads_it(value):
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(VALUES)
def test_the_canonical_form_is_the_same_value_and_one_spelling(value):
    canonical = canonical_json(value)

    assert parse_json(canonical) == value
    assert canonical_json(parse_json(json.dumps(value, indent=3).encode())) == canonical


def test_the_canonical_form_forgets_the_order_of_keys_and_nothing_else():
    assert canonical_json({"a": 1, "b": [1, 2]}) == canonical_json({"b": [1, 2], "a": 1})
    assert canonical_json({"a": [1, 2]}) != canonical_json({"a": [2, 1]})
    different = [1, 1.0, "1", True, None, [1], {"1": 1}]
    assert len({canonical_json(value) for value in different}) == len(different)


REJECTED = {
    "nothing": (b"", "$", "not JSON"),
    "a trailing comma": (b"[1,]", "$", "not JSON"),
    "single quotes": (b"{'a': 1}", "$", "not JSON"),
    "a comment": (b"1 // one", "$", "not JSON"),
    "a raw line feed in a string": (b'"a\nb"', "$", "not JSON"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "$", "UTF-8"),
    "an overlong encoding": (b'"\xc0\xaf"', "$", "UTF-8"),
    "an encoded surrogate": (b'"\xed\xa0\x80"', "$", "UTF-8"),
    "a lone surrogate": (rb'"\ud83d"', "$", "surrogate"),
    "surrogates in the wrong order": (rb'"\ude00\ud83d"', "$", "surrogate"),
    "a surrogate as a name": (rb'{"\udfff": 1}', "$", "surrogate"),
    "NaN": (b"NaN", "$", "NaN"),
    "infinity": (b"[Infinity]", "$", "Infinity"),
    "minus infinity": (b"-Infinity", "$", "-Infinity"),
    "a key twice": (b'{"a": 1, "b": 2, "a": 1}', "$.a", "twice"),
    "a key twice far inside": (b'[{"x": {"a b": 1, "a b": 2}}]', "$['a b']", "twice"),
    "a key twice, once escaped": (rb'{"a": 1, "\u0061": 1}', "$.a", "twice"),
    "arrays without end": (b"[" * 100_000, "$", "nested"),
    "arrays that end": (b"[" * 100_000 + b"]" * 100_000, "$", "nested"),
    "objects without end": (b'{"a":' * 100_000, "$", "nested"),
    "a number that no float holds": (b"1e400", "$", "not JSON"),
    "an integer of 10,000 digits": (b"9" * 10_000, "$", "not JSON"),
}


@pytest.mark.parametrize(("data", "param", "why"), REJECTED.values(), ids=REJECTED.keys())
def test_what_is_ambiguous_or_no_json_is_rejected_with_the_reason(data, param, why):
    with pytest.raises(Rejection, match=why) as rejected:
        parse_json(data)

    assert (rejected.value.code, rejected.value.param) == (RejectionCode.INVALID, param)


def test_a_pair_of_surrogates_is_one_character():
    assert parse_json(rb'"\ud83d\ude00"') == "\N{GRINNING FACE}"


@given(st.binary() | st.text(alphabet='[]{}",:0e-+.\\u1dn ').map(str.encode))
def test_any_bytes_are_rejected_or_a_value_that_can_be_serialized(data):
    try:
        value = parse_json(data)
    except Rejection:
        return
    assert parse_json(canonical_json(value)) == value
