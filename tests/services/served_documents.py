"""What the tests of both documents share: following references, and judging a value by a schema."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator


def parts(document: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document, itself included."""
    if isinstance(document, dict):
        yield document
        for value in document.values():
            yield from parts(value)
    elif isinstance(document, list):
        for value in document:
            yield from parts(value)


def resolve(document: dict[str, Any], reference: str) -> Any:
    """What a reference into the document points at. Raises `KeyError`."""
    assert reference.startswith("#/"), reference
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def follow(document: dict[str, Any], part: dict[str, Any]) -> Any:
    """The thing itself, where a reference to it may stand."""
    while "$ref" in part:
        part = resolve(document, part["$ref"])
    return part


def faults(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """Why a value is not of a schema of the document, or has fields that it tells nothing of; else
    nothing.
    """
    schemas = {name: closed(it) for name, it in document["components"]["schemas"].items()}
    whole = {**schema, "components": {"schemas": schemas}}
    Draft202012Validator.check_schema(whole)
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def closed(schema: Any) -> Any:
    """A schema without leave for fields that it does not tell of, which readers are to pass over."""
    if isinstance(schema, list):
        return [closed(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    own = {name: closed(it) for name, it in schema.items()}
    tells = schema.get("type") == "object" and "properties" in schema
    return {"additionalProperties": False, **own} if tells else own


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations of an OpenAPI document by their id."""
    return {
        operation["operationId"]: operation
        for path in document["paths"].values()
        for operation in path.values()
    }


def examples_of(part: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """The examples of an OpenAPI body or answer, each with its schema."""
    for media in part.get("content", {}).values():
        for example in media.get("examples", {}).values():
            yield media["schema"], example["value"]
        if "example" in media:
            yield media["schema"], media["example"]
