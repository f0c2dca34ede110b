"""Dead letters for people and for scripts, with untrusted text escaped."""

from __future__ import annotations

import base64
import json
from typing import Any

from services.cli.terminal import escaped, laid_out
from services.command_consumer.dead_letter_codec import DeadLetter


def line(letter: DeadLetter) -> str:
    """One line about a dead letter."""
    facts = letter.facts
    parts = [
        letter.place,
        facts.get("time", "-"),
        facts.get("reason", "-"),
        letter.checkout or "-",
        f"from {letter.came_from or '-'}",
    ]
    if "truncated" in facts:
        parts.append("truncated")
    return escaped("  ".join(parts))


def summary(letter: DeadLetter) -> dict[str, Any]:
    """The same as JSON values; what is unknown is null."""
    facts = letter.facts
    return {
        "partition": letter.partition,
        "offset": letter.offset,
        "time": facts.get("time"),
        "reason": facts.get("reason"),
        "checkout": letter.checkout,
        "checkout_version": letter.checkout_version,
        "truncated": "truncated" in facts,
        "from": {name: facts.get(name) for name in ("topic", "partition", "offset")},
    }


def whole(letter: DeadLetter) -> dict[str, Any]:
    """All of a dead letter as JSON values. Bytes are text if they are UTF-8, else in base64."""
    original = letter.original
    return summary(letter) | {
        "facts": dict(letter.facts),
        "key": _json_of(original.key),
        "headers": [{"name": name, "value": _json_of(value)} for name, value in original.headers],
        "value": _json_of(original.value),
    }


def pages(letter: DeadLetter) -> str:
    """All of a dead letter for a person."""
    original = letter.original
    facts = [escaped(f"dl_{name}: {text}") for name, text in letter.facts.items()]
    headers = [f"{escaped(name)}: {_text_of(value)}" for name, value in original.headers]
    return "\n".join(
        [
            line(letter),
            "",
            *facts,
            "",
            f"key: {_text_of(original.key)}",
            *headers,
            "",
            _pretty(original.value),
        ]
    )


def _text_of(content: bytes | None) -> str:
    return "(null)" if content is None else escaped(content.decode("utf-8", "backslashreplace"))


def _pretty(value: bytes | None) -> str:
    try:
        return laid_out(json.loads(value or b""))
    except (ValueError, RecursionError):
        return _text_of(value)


def _json_of(content: bytes | None) -> Any:
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
