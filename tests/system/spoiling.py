"""Ways to spoil a good record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.system.kafka_records import Raw, good, good_event

Spoiled = Callable[[], Raw]


def key(content: bytes | None) -> Spoiled:
    return lambda: replace(good(), key=content)


def value(content: bytes | None, command_type: str = "CreateCheckout") -> Spoiled:
    return lambda: replace(header("ce_type", f"checkout.{command_type}".encode())(), value=content)


def header(name: str, content: bytes | None) -> Spoiled:
    """With this header instead, or as well if there was none of that name."""

    def spoiled() -> Raw:
        raw = good()
        command_id = content.decode() if name == "ce_id" and content else raw.command_id
        others = [(known, old) for known, old in raw.headers if known != name]
        return replace(raw, headers=[*others, (name, content)], command_id=command_id)

    return spoiled


def second_header(name: str, content: bytes) -> Spoiled:
    def spoiled() -> Raw:
        raw = good()
        return replace(raw, headers=[*raw.headers, (name, content)])

    return spoiled


def no_header(name: str) -> Spoiled:
    def spoiled() -> Raw:
        raw = good()
        return replace(raw, headers=[pair for pair in raw.headers if pair[0] != name])

    return spoiled


def event(**more: Any) -> Spoiled:
    """In structured mode, with other attributes or data."""
    return lambda: good_event(**more)


def event_text(old: bytes, new: bytes, **more: Any) -> Spoiled:
    """In structured mode, with other bytes in its JSON."""

    def spoiled() -> Raw:
        raw = good_event(**more)
        assert raw.value
        assert old in raw.value
        return replace(raw, value=raw.value.replace(old, new))

    return spoiled


def whole_event(content: bytes | None) -> Spoiled:
    """In structured mode, with something else for the JSON."""
    return lambda: replace(good_event(), value=content)
