"""Text that is safe to show: what unknown hands wrote is never sent to a terminal raw."""

from __future__ import annotations

import json
from typing import Any


def escaped(text: str) -> str:
    """Text on one line, with each character that does something instead of showing something escaped."""
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "surrogatepass").decode()


def laid_out(value: Any) -> str:
    """A JSON value over lines, as safe as `escaped`."""
    return "\n".join(map(escaped, json.dumps(value, indent=2, ensure_ascii=False).split("\n")))
