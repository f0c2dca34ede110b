"""A JSON Schema as an HTML table, one row a field. Everything is escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

Schema = dict[str, Any]

_SPANS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " entries"),
)


def schema_table(schema: Schema) -> str:
    """The fields of an object with their types; for anything else its type."""
    fields = schema.get("properties")
    if not fields:
        return f"<p>{_kind(schema)}</p>"
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td>{code(name)}</td><td>{_kind(field)}</td>"
        f"<td>{'required' if name in required else 'optional'}</td>"
        f"<td>{_inline(field.get('description', ''))}</td></tr>"
        for name, field in fields.items()
    )
    return (
        '<div class="scroll"><table><thead><tr><th>Name</th><th>Type</th><th></th><th></th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def schema_id(reference: str) -> str:
    """The anchor of a schema on the page."""
    return f"schema-{reference.rpartition('/')[2]}"


def code(text: str) -> str:
    """Text as code."""
    return f"<code>{escape(text)}</code>"


def prose(text: str) -> str:
    """A paragraph, or nothing for empty text; text between backticks is code."""
    return f"<p>{_inline(text)}</p>" if text.strip() else ""


def _inline(text: str) -> str:
    parts = text.split("`")
    return "".join(code(part) if index % 2 else escape(part) for index, part in enumerate(parts))


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{escape(schema_id(schema["$ref"]))}">{escape(name)}</a>'
    if "const" in schema:
        return code(json.dumps(schema["const"]))
    if "enum" in schema:
        return " or ".join(code(json.dumps(value)) for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    kind = f"array of {_kind(schema['items'])}" if "items" in schema else escape(_type(schema))
    return ", ".join([kind, *_limits(schema)])


def _type(schema: Schema) -> str:
    return str(schema.get("type", "anything"))


def _limits(schema: Schema) -> Iterable[str]:
    for low, high, unit in _SPANS:
        least, most = schema.get(low), schema.get(high)
        if least is not None and most is not None:
            yield f"{least} to {most}{unit}"
        elif least is not None:
            yield f"at least {least}{unit}"
        elif most is not None:
            yield f"at most {most}{unit}"
    if "pattern" in schema:
        yield f"matching {code(schema['pattern'])}"
    if "format" in schema:
        yield escape(schema["format"])
