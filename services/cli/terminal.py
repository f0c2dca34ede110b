"""Makes untrusted text safe to print on a terminal."""

from __future__ import annotations

import json
from typing import Any


def escaped(text: str) -> str:
    """One line with control characters escaped, so that untrusted text cannot drive the terminal."""
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "surrogatepass").decode()


def laid_out(value: Any) -> str:
    """Indented JSON, escaped like `escaped`."""
    return "\n".join(map(escaped, json.dumps(value, indent=2, ensure_ascii=False).split("\n")))
