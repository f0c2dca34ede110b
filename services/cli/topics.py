"""`checkout topics`."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from services.kafka.admin import create_topics
from services.kafka.connection import connection_of
from services.kafka.topics import Topics
from services.settings import Settings


def topics(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Create the topics that are missing, as CHECKOUT_TOPIC_PREFIX, …_PARTITIONS and …_REPLICATION say.

    Safe to run again.
    """
    settings = Settings.load("kafka_bootstrap_servers")
    created = asyncio.run(
        create_topics(
            connection_of(settings),
            Topics(settings.topic_prefix),
            settings.topic_partitions,
            settings.topic_replication,
        )
    )
    if as_json:
        typer.echo(json.dumps(created))
        return
    for topic, is_new in created.items():
        typer.echo(f"{topic}: {'created' if is_new else 'is there already'}")
