"""`checkout topics`."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from services.kafka.connection import connection_of
from services.kafka.topic_admin import create_topics
from services.kafka.topic_plans import topic_plans
from services.runtime.settings import Settings


def topics(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Create the topics that are missing, as the CHECKOUT_TOPIC_… settings say; check the others.

    Safe to run again: a topic that is there is never changed, and one that is wrong is named.
    """
    settings = Settings.load("kafka_bootstrap_servers")
    created = asyncio.run(create_topics(connection_of(settings), topic_plans(settings)))
    if as_json:
        typer.echo(json.dumps(created))
        return
    for topic, is_new in created.items():
        typer.echo(f"{topic}: {'created' if is_new else 'is there already'}")
