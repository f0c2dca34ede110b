"""Writing the schemas of all messages into a directory, beside whatever else is in it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from services.messages.message_schemas import WRITTEN_BY, index_of, message_schemas

INDEX = "index.json"


class ForeignFile(Exception):
    """A file that a schema would be written to is not one that an export wrote."""


def export(directory: Path) -> list[Path]:
    """Write a file for each message, and an index, and return their paths.

    The directory is made if it is missing. A file of an earlier export is replaced in one step, so that
    nobody reads half of one; another file is left alone, and then none is written. Raises `ForeignFile`
    and `OSError`.
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
