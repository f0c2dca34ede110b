"""What the code says of the messages now, held against what is published."""

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
    """`broken` are changes that somebody out there would not survive; `behind` are files to renew."""

    broken: list[str]
    behind: list[str]


def findings(published: Path, messages: Iterable[MessageSchema]) -> Findings:
    """What is to be said of the messages, by the files that are published in a directory."""
    now = {message.file: message for message in messages}
    then = {
        path.relative_to(published).as_posix(): json.loads(path.read_bytes())
        for path in sorted(published.rglob("*.json"))
        if path.name != INDEX
    }
    return Findings([*_broken(then, now)], [*_behind(then, now)])


def _broken(then: dict[str, Any], now: dict[str, MessageSchema]) -> Iterator[str]:
    for file, schema in then.items():
        if file not in now:
            yield (
                f"{file} is published, and the message is gone: somebody may still send it, or read "
                "it in the topic. Keep it."
            )
        elif not _keeps(file, schema, now[file].schema):
            changed = "\n".join(f"    {it}" for it in differences(schema, now[file].schema))
            yield f"{file}: {_who(file)}\n{changed}\n  {_way_out(file)}"


def _behind(then: dict[str, Any], now: dict[str, MessageSchema]) -> Iterator[str]:
    for file, message in now.items():
        if file not in then:
            yield f"{file} is not published yet: {_RENEW}"
        elif then[file] != message.schema and _keeps(file, then[file], message.schema):
            yield f"{file} is behind, by a change that breaks nobody: {_RENEW}"


def _keeps(file: str, published: dict[str, Any], current: dict[str, Any]) -> bool:
    keeps = keeps_publishers if _is_command(file) else keeps_consumers
    return published == current or keeps(published, current)


def _is_command(file: str) -> bool:
    return file.startswith("commands/")


def _who(file: str) -> str:
    if _is_command(file):
        return "what publishers send by the published schema might be refused now."
    return "consumers might get now what the published schema rules out."


def _way_out(file: str) -> str:
    kind, _, name = file.removesuffix(".json").partition("/")
    if kind == "events":
        event, _, version = name.partition(".")
        return (
            f"Leave version {version} of {event} as it is published, and give the new shape a class "
            f"of its own with SCHEMA_VERSION = {int(version) + 1}."
        )
    return (
        f"What is in {kind}/ has no version on the wire: leave {name} as it is published, and give the "
        "new shape a type of another name."
    )
