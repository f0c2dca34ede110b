"""Factories for records that differ from a valid command in one respect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.system.kafka_records import RawRecord, valid_command, valid_structured_command

RecordFactory = Callable[[], RawRecord]


def with_key(key: bytes | None) -> RecordFactory:
    return lambda: replace(valid_command(), key=key)


def with_value(value: bytes | None, command_type: str = "CreateCheckout") -> RecordFactory:
    command = with_header("ce_type", f"checkout.{command_type}".encode())
    return lambda: replace(command(), value=value)


def with_header(name: str, content: bytes | None) -> RecordFactory:
    """Replaces the header of this name, or adds it."""

    def make() -> RawRecord:
        raw = valid_command()
        command_id = content.decode() if name == "ce_id" and content else raw.command_id
        others = [(known, old) for known, old in raw.headers if known != name]
        return replace(raw, headers=[*others, (name, content)], command_id=command_id)

    return make


def with_second_header(name: str, content: bytes) -> RecordFactory:
    def make() -> RawRecord:
        raw = valid_command()
        return replace(raw, headers=[*raw.headers, (name, content)])

    return make


def without_header(name: str) -> RecordFactory:
    def make() -> RawRecord:
        raw = valid_command()
        return replace(raw, headers=[pair for pair in raw.headers if pair[0] != name])

    return make


def with_event(**more: Any) -> RecordFactory:
    """A structured event with other attributes or data."""
    return lambda: valid_structured_command(**more)


def with_event_text(old: bytes, new: bytes, **more: Any) -> RecordFactory:
    """A structured event with some bytes of its JSON replaced."""

    def make() -> RawRecord:
        raw = valid_structured_command(**more)
        assert raw.value
        assert old in raw.value
        return replace(raw, value=raw.value.replace(old, new))

    return make


def with_event_value(value: bytes | None) -> RecordFactory:
    """A structured event with another record value."""
    return lambda: replace(valid_structured_command(), value=value)
