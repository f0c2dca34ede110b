"""Compares the current message schemas with the published ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.messages.message_schemas import MessageSchema
from services.messages.schema_export import INDEX
from tests.published.compatibility import differences, keeps_consumers, keeps_publishers

SCHEMAS = Path(__file__).with_name("schemas")

_RENEW = "run `make schemas` and commit what it writes"


@dataclass(frozen=True)
class Findings:
    """`broken`: changes that break publishers or consumers; `behind`: outdated or missing files."""

    broken: list[str]
    behind: list[str]


def findings(published: Path, messages: Iterable[MessageSchema]) -> Findings:
    """Compare the messages with the schemas published in a directory."""
    current_files = {message.file: message for message in messages}
    published_files = {
        path.relative_to(published).as_posix(): json.loads(path.read_bytes())
        for path in sorted(published.rglob("*.json"))
        if path.name != INDEX
    }
    return Findings(
        [*_broken(published_files, current_files)], [*_behind(published_files, current_files)]
    )


def _broken(
    published_files: dict[str, Any], current_files: dict[str, MessageSchema]
) -> Iterator[str]:
    for file, schema in published_files.items():
        if file not in current_files:
            yield (
                f"{file} is published, and the message is gone: publishers may still send it, or "
                "consumers read it from the topic. Keep it."
            )
        elif not _keeps(file, schema, current_files[file].schema):
            changed = "\n".join(
                f"    {it}" for it in differences(schema, current_files[file].schema)
            )
            yield f"{file}: {_consequence(file)}\n{changed}\n  {_remedy(file)}"


def _behind(
    published_files: dict[str, Any], current_files: dict[str, MessageSchema]
) -> Iterator[str]:
    for file, message in current_files.items():
        if file not in published_files:
            yield f"{file} is not published yet: {_RENEW}"
        elif published_files[file] != message.schema and _keeps(
            file, published_files[file], message.schema
        ):
            yield f"{file} is outdated; the change is compatible: {_RENEW}"


def _keeps(file: str, published: dict[str, Any], current: dict[str, Any]) -> bool:
    keeps = keeps_publishers if _is_command(file) else keeps_consumers
    return published == current or keeps(published, current)


def _is_command(file: str) -> bool:
    return file.startswith("commands/")


def _consequence(file: str) -> str:
    if _is_command(file):
        return "messages that publishers send by the published schema might now be rejected."
    return "consumers might now receive messages that the published schema forbids."


def _remedy(file: str) -> str:
    kind, _, name = file.removesuffix(".json").partition("/")
    if kind == "events":
        event, _, version = name.partition(".")
        return (
            f"Keep version {version} of {event} as published, and add a new class for the new shape "
            f"with SCHEMA_VERSION = {int(version) + 1}."
        )
    return (
        f"Messages in {kind}/ have no version on the wire: keep {name} as published, and add "
        "a type of another name for the new shape."
    )
