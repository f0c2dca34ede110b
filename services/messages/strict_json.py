"""Strict JSON: what two parsers could read differently is rejected (RFC 7493, I-JSON)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from domain.rejection import Rejection, invalid
from domain.validation_errors import json_path

_MAX_NESTING = 100
"""No command comes near it, and it keeps later serialization within Python's recursion limit."""


def parse_json(data: bytes) -> Any:
    """Parse UTF-8 JSON. Raises `Rejection` for anything else, and for a duplicate key, NaN, a lone
    surrogate or nesting beyond reason.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_number
        )
        if _is_deep(value):
            raise RecursionError
        canonical_json(value)
    except UnicodeDecodeError:
        raise invalid("the body is not UTF-8", "$") from None
    except UnicodeEncodeError:
        raise invalid("the body has a lone surrogate: half of a character", "$") from None
    except RecursionError:
        raise invalid("the body is nested too deeply", "$") from None
    except ValueError as error:
        raise invalid(f"the body is not JSON: {error}", "$") from None
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_MAX_NESTING):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def canonical_json(value: Any) -> bytes:
    """The same bytes for the same JSON value, whatever the spelling and the order of its keys."""
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode("utf-8")


def _without_repeats(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, item in pairs:
        if name in value:
            raise _repeated(name)
        value[name] = item
    return value


def _repeated(name: str) -> Rejection:
    return invalid(f"the key {name[:100]!a} appears twice in one object", json_path((name,)))


def _no_number(constant: str) -> NoReturn:
    raise invalid(f"{constant} is no JSON number", "$")
