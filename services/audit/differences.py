"""The differences between two JSON values, as field paths with the old and the new value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_ABSENT: Any = object()
_NAMES = ("id", "type")
"""The fields that identify the elements of a list, where each element has one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs. A side without the field has no value."""

    path: str
    old: Any = _ABSENT
    new: Any = _ABSENT

    def as_json(self) -> dict[str, Any]:
        """`{"path", "old"?, "new"?}`."""
        sides = {"old": self.old, "new": self.new}
        return {"path": self.path} | {k: v for k, v in sides.items() if v is not _ABSENT}

    def line(self) -> str:
        """For a person: `path: old → new`, with + before a new field and - before a removed one."""
        if self.old is _ABSENT:
            return f"+ {self.path}: {_text(self.new)}"
        if self.new is _ABSENT:
            return f"- {self.path}: {_text(self.old)}"
        return f"  {self.path}: {_text(self.old)} → {_text(self.new)}"


def differences(old: Any, new: Any, path: str = "$") -> Iterator[Difference]:
    """All differences, in the order of the fields. Elements of a list are matched by id or type."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in [*old, *(name for name in new if name not in old)]:
            yield from _field(old.get(name, _ABSENT), new.get(name, _ABSENT), f"{path}.{name}")
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path)
    elif old != new:
        yield Difference(path, old, new)


def _field(old: Any, new: Any, path: str) -> Iterator[Difference]:
    if old is _ABSENT or new is _ABSENT:
        yield Difference(path, old, new)
    else:
        yield from differences(old, new, path)


def _lists(old: list[Any], new: list[Any], path: str) -> Iterator[Difference]:
    name = next((name for name in _NAMES if _is_unique(old, name) and _is_unique(new, name)), None)
    were = {_key(it, index, name): it for index, it in enumerate(old)}
    are = {_key(it, index, name): it for index, it in enumerate(new)}
    for key in [*were, *(key for key in are if key not in were)]:
        yield from _field(were.get(key, _ABSENT), are.get(key, _ABSENT), f"{path}[{key}]")
    stayed = [key for key in were if key in are]
    moved = [key for key in are if key in were]
    if stayed != moved:
        yield Difference(f"{path}[*]", stayed, moved)


def _is_unique(items: Sequence[Any], name: str) -> bool:
    names = [item.get(name) if isinstance(item, Mapping) else None for item in items]
    return all(isinstance(it, str) for it in names) and len(set(names)) == len(names)


def _key(item: Any, index: int, name: str | None) -> str:
    return str(item[name]) if name else str(index)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
