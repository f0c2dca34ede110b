"""The AsyncAPI document as an HTML page without scripts or external assets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from services.messages.asyncapi.tables import code, prose, schema_id, schema_table

Document = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { border-bottom: 1px solid var(--line); margin-top: 3rem; }
h3 { margin-top: 2.5rem; }
h4 { margin: 1.2rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { border: 1px solid var(--line); border-radius: .3rem; overflow-x: auto; padding: .8rem; }
.scroll { overflow-x: auto; }
"""
_RAW = '<a href="asyncapi.json">asyncapi.json</a>'


def asyncapi_page(document: Document) -> str:
    """The page: each channel with its messages, their headers, payloads and examples."""
    info, channels = document["info"], document["channels"]
    actions = _actions(document)
    title = f"{info['title']}: messages on Kafka"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            prose(info["description"]),
            f"<p>For tools: {_RAW} (AsyncAPI {escape(document['asyncapi'])}).</p>",
            _contents(document),
            *(
                _channel(document, name, channel, actions.get(name, ""))
                for name, channel in channels.items()
            ),
            '<h2 id="schemas">Shared schemas</h2>',
            *_shared_schemas(document),
            "</body></html>\n",
        )
    )


def _actions(document: Document) -> dict[str, str]:
    """Whether the service receives or sends, by channel."""
    return {
        operation["channel"]["$ref"].rpartition("/")[2]: operation["action"]
        for operation in document["operations"].values()
    }


def _contents(document: Document) -> str:
    items = (
        f'<li><a href="#channel-{escape(name)}">{escape(channel["address"])}</a>: '
        + ", ".join(
            f'<a href="#message-{escape(message)}">{escape(message)}</a>'
            for message in channel["messages"]
        )
        + "</li>"
        for name, channel in document["channels"].items()
    )
    return f'<nav><ul>{"".join(items)}<li><a href="#schemas">Shared schemas</a></li></ul></nav>'


def _channel(document: Document, name: str, channel: Document, action: str) -> str:
    direction = f"<p>The service {escape(action)}s here.</p>" if action else ""
    messages = (
        _message(document, key, _resolve(document, reference))
        for key, reference in channel["messages"].items()
    )
    return (
        f'<section><h2 id="channel-{escape(name)}">{escape(name)}: '
        f"{code(channel['address'])}</h2>{direction}{prose(channel['description'])}"
        f"{''.join(messages)}</section>"
    )


def _message(document: Document, key: str, message: Document) -> str:
    payload = _resolve(document, message["payload"])
    return (
        f'<article><h3 id="message-{escape(key)}">{escape(key)}</h3>'
        f"<p>{code(message['name'])} ({code(message['contentType'])})</p>"
        f"{prose(message.get('summary', ''))}{prose(message.get('description', ''))}"
        f"<h4>Key</h4>{prose(message['bindings']['kafka']['key'].get('description', ''))}"
        f"<h4>Headers</h4>{schema_table(message['headers'])}"
        f"<h4{_anchor(message['payload'])}>Payload</h4>{schema_table(payload)}"
        f"{''.join(_example(example) for example in message.get('examples', ()))}</article>"
    )


def _example(example: Document) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in example["headers"].items())
    payload = json.dumps(example["payload"], indent=2, ensure_ascii=False)
    return f"<h4>Example</h4><pre>{escape(headers)}</pre><pre>{escape(payload)}</pre>"


def _shared_schemas(document: Document) -> Iterable[str]:
    """The schemas that are not a message's payload; those are shown with their message."""
    components = document["components"]
    payloads = {message["payload"].get("$ref") for message in components["messages"].values()}
    for name, schema in components["schemas"].items():
        reference = {"$ref": f"#/components/schemas/{name}"}
        if reference["$ref"] not in payloads:
            described = prose(schema.get("description", ""))
            yield f"<h3{_anchor(reference)}>{escape(name)}</h3>{described}{schema_table(schema)}"


def _anchor(reference: Document) -> str:
    return f' id="{escape(schema_id(reference["$ref"]))}"' if "$ref" in reference else ""


def _resolve(document: Document, schema: Document) -> Document:
    """The target of a `$ref` into the document, or the schema itself."""
    found = schema
    while "$ref" in found:
        found, steps = document, found["$ref"].removeprefix("#/").split("/")
        for step in steps:
            found = found[step]
    return found
