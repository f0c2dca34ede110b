"""`checkout topics`: creates and checks the topics."""

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
    """Create the missing topics as the CHECKOUT_TOPIC_… settings say, and check the others.

    Safe to run again: an existing topic is never changed. If one differs, the command fails and says why.
    """
    settings = Settings.load("kafka_bootstrap_servers")
    created = asyncio.run(create_topics(connection_of(settings), topic_plans(settings)))
    if as_json:
        typer.echo(json.dumps(created))
        return
    for topic, is_new in created.items():
        typer.echo(f"{topic}: {'created' if is_new else 'is there already'}")
