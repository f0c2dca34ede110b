"""Whether a schema is compatible with its published version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema_rs import canonicalize, dereference
from jsonschema_rs.canonical import Containment

Schema = dict[str, Any]

_ANNOTATIONS = {"$id", "$comment", "$defs", "title", "description", "examples"}
"""Keywords that do not affect validation."""


def keeps_publishers(published: Schema, current: Schema) -> bool:
    """Whether every value valid under the published schema is still accepted."""
    return _covers(current, published)


def keeps_consumers(published: Schema, current: Schema) -> bool:
    """Whether every value sent now is valid under the published schema."""
    return _covers(published, current)


def differences(published: Schema, current: Schema) -> list[str]:
    """The differences between two schemas by path, without annotations such as descriptions."""
    return list(_differences("", dereference(published), dereference(current)))


def _covers(wider: Schema, narrower: Schema) -> bool:
    """False also where the library cannot decide."""
    wide, narrow = (canonicalize(schema, validate_formats=True) for schema in (wider, narrower))
    return wide.covers(narrow) is Containment.YES


def _differences(path: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield f"{path}: was {_shown(old)}, is {_shown(new)}"
        return
    # Names under `properties` are fields, even if they equal an annotation keyword.
    ignored = set() if path.endswith("properties") else _ANNOTATIONS
    for name in dict.fromkeys([*old, *new]):
        if name not in ignored:
            where = f"{path}.{name}" if path else name
            yield from _differences(where, old.get(name, _ABSENT), new.get(name, _ABSENT))


def _shown(part: Any) -> str:
    return "absent" if part is _ABSENT else json.dumps(part)


_ABSENT = object()
