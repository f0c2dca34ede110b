"""Whether whoever goes by a published schema can go on by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema_rs import canonicalize, dereference
from jsonschema_rs.canonical import Containment

Schema = dict[str, Any]

_WORDS = {"$id", "$comment", "$defs", "title", "description", "examples"}
"""Keywords that allow and forbid nothing."""


def keeps_publishers(published: Schema, current: Schema) -> bool:
    """Whether all that the published schema lets a publisher send is still taken."""
    return _covers(current, published)


def keeps_consumers(published: Schema, current: Schema) -> bool:
    """Whether all that is sent now is what the published schema lets a consumer rely on."""
    return _covers(published, current)


def differences(published: Schema, current: Schema) -> list[str]:
    """What is another in the two schemas, by its path, besides words for people."""
    return list(_differences("", dereference(published), dereference(current)))


def _covers(wider: Schema, narrower: Schema) -> bool:
    """Where the library can't tell, the answer is no."""
    wide, narrow = (canonicalize(it, validate_formats=True) for it in (wider, narrower))
    return wide.covers(narrow) is Containment.YES


def _differences(path: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield f"{path}: was {_shown(old)}, is {_shown(new)}"
        return
    # What stands under `properties` are fields, whatever they are called.
    passed_over = set() if path.endswith("properties") else _WORDS
    for name in dict.fromkeys([*old, *new]):
        if name not in passed_over:
            where = f"{path}.{name}" if path else name
            yield from _differences(where, old.get(name, _ABSENT), new.get(name, _ABSENT))


def _shown(part: Any) -> str:
    return "absent" if part is _ABSENT else json.dumps(part)


_ABSENT = object()
