"""`checkout demo`: the scenario of one checkout, through Kafka and HTTP, printed as it happens."""

from __future__ import annotations

import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import orjson
from aiokafka import AIOKafkaConsumer
from rich.console import Console
from rich.rule import Rule

from services.dev import DevError
from services.dev.system import DevSystem, dev_system
from services.messages.cloud_events import type_of
from services.messages.command_client import CommandClient, CommandToSend
from services.messages.scenario import BODIES, CHECKOUT_ID


class DemoFailed(DevError):
    """The scenario did not go as expected."""


async def run(console: Console) -> None:
    """Run the scenario on a system of its own. Raises `DemoFailed`."""
    with tempfile.TemporaryDirectory(prefix="checkout-demo-") as data:
        async with dev_system(Path(data)) as dev:
            console.print(
                f"The whole system is up in this process: HTTP {dev.http}, Kafka {dev.kafka}"
            )
            async with (
                CommandClient({"bootstrap_servers": dev.kafka}, dev.topics) as client,
                client.following(dev.topics.events) as events,
            ):
                demo = _Demo(console, dev, events)
                await demo.create(client)
                await demo.over_http()


class _Demo:
    def __init__(self, console: Console, dev: DevSystem, consumer: AIOKafkaConsumer) -> None:
        self._console = console
        self._dev = dev
        self._consumer = consumer
        self._seen = 0

    async def create(self, client: CommandClient) -> None:
        self._step(
            "Another service publishes checkout.CreateCheckout on Kafka", BODIES["CreateCheckout"]
        )
        command = CommandToSend(
            type=type_of("CreateCheckout"),
            checkout_id=CHECKOUT_ID,
            body=orjson.dumps(BODIES["CreateCheckout"]),
            source="/demo/shop",
            command_id="create-1",
        )
        reply = await client.send(command)
        if not reply.is_accepted:
            raise DemoFailed(f"the command was rejected: {reply.data}")
        await self._events_until(reply.data["version"])
        self._console.print(f"Reply on {self._dev.topics.replies}: [bold]{reply.type}[/bold]")
        self._console.print_json(data=reply.data)

    async def over_http(self) -> None:
        headers = {"Authorization": f"Bearer {self._dev.api_key}"}
        path = f"/v1/checkouts/{CHECKOUT_ID}"
        async with httpx.AsyncClient(base_url=self._dev.http, headers=headers) as http:
            self._step(f"A storefront updates it: PUT {path}", BODIES["UpdateCheckout"])
            await self._answer(await http.put(path, json=BODIES["UpdateCheckout"]))
            self._step(f"Any client with an API key reads it: GET {path}")
            await self._answer(await http.get(path))
            self._step(
                f"The buyer changes their mind: POST {path}/cancel", BODIES["CancelCheckout"]
            )
            await self._answer(await http.post(f"{path}/cancel", json=BODIES["CancelCheckout"]))
            await self._pay_for_another(http)

    async def _pay_for_another(self, http: httpx.AsyncClient) -> None:
        self._seen = 0
        self._step("Another buyer: POST /v1/checkouts", BODIES["CreateCheckout"])
        opened = await http.post("/v1/checkouts", json=BODIES["CreateCheckout"])
        await self._answer(opened, HTTPStatus.CREATED)
        path = f"{opened.headers['location']}/complete"
        self._step(f"who pays, and it is an order: POST {path}", BODIES["CompleteCheckout"])
        await self._answer(await http.post(path, json=BODIES["CompleteCheckout"]))

    def _step(self, title: str, body: Any = None) -> None:
        self._console.print(Rule(title, align="left"))
        if body is not None:
            self._console.print_json(data=body)

    async def _answer(self, response: httpx.Response, expected: HTTPStatus = HTTPStatus.OK) -> None:
        if response.status_code != expected:
            raise DemoFailed(f"HTTP {response.status_code}: {response.text}")
        version = int(response.headers["etag"].strip('"').partition(".")[0])
        await self._events_until(version)
        self._console.print(f"HTTP {response.status_code}, version {version}")
        self._console.print_json(response.text)

    async def _events_until(self, version: int) -> None:
        """Print the events on Kafka up to a version."""
        while self._seen < version:
            record = await self._consumer.getone()
            headers = {name: value.decode() for name, value in record.headers}
            self._seen = int(headers["ce_sequence"])
            name = headers["ce_type"]
            self._console.print(f"Event {headers['ce_id']}: [bold]{name}[/bold]")
            self._console.print_json(record.value.decode())
