"""Writes the schemas of all messages into a directory."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from services.messages.message_schemas import WRITTEN_BY, index_of, message_schemas

INDEX = "index.json"


class ForeignFile(Exception):
    """A schema would overwrite a file that was not written by an export."""


def export(directory: Path) -> list[Path]:
    """Write a file for each message, and an index, and return their paths.

    The directory is created if it is missing. Files of an earlier export are replaced atomically.
    If any other file is in the way, nothing is written. Raises `ForeignFile` and `OSError`.
    """
    messages = message_schemas()
    contents = {directory / it.file: it.schema for it in messages}
    contents[directory / INDEX] = index_of(messages)
    for path in contents:
        if os.path.lexists(path) and not _is_ours(path):
            raise ForeignFile(
                f"{path} was not written by an export; move it away, or export to another directory"
            )
    for path, content in contents.items():
        _replace(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return list(contents)


def _is_ours(path: Path) -> bool:
    try:
        content: Any = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("$comment") == WRITTEN_BY


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as drafts:
        draft = Path(drafts) / path.name
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
