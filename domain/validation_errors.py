"""Pydantic's validation errors as a client that sent JSON reads them: a sentence and a JSONPath."""

from __future__ import annotations

from pydantic import ValidationError

_SENTENCES = {
    "extra_forbidden": "is not a known field",
    "greater_than_equal": "must be greater than or equal to {ge}",
    "int_type": "must be a valid integer",
    "less_than_equal": "must be less than or equal to {le}",
    "missing": "is required",
    "model_type": "must be a JSON object",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} character",
    "string_type": "must be a valid string",
    "string_unicode": "must be a valid string, unable to parse raw data as a unicode string",
    "too_long": "must have at most {max_length} items, not {actual_length}",
    "too_short": "must have at least {min_length} item, not {actual_length}",
    "tuple_type": "must be a JSON array",
    "value_error": "{error}",
}
"""By the error's type (https://docs.pydantic.dev/latest/errors/validation_errors); `{…}` is from its
context. Each minimum length is 1 and each maximum above it.
"""


def first_problem(error: ValidationError) -> tuple[str, str]:
    """A sentence about the first invalid field, and the field's JSONPath. Never quotes the input."""
    first = error.errors(include_url=False, include_input=False)[0]
    template = _SENTENCES.get(first["type"])
    sentence = template.format_map(first.get("ctx", {})) if template else first["msg"]
    return sentence, json_path(first["loc"])


def json_path(loc: tuple[int | str, ...]) -> str:
    """The JSONPath (RFC 9535) of a Pydantic error location, in ASCII whatever the names hold."""
    path = "$"
    for step in loc:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step.isascii() and step.isidentifier() and len(step) <= 100:
            path += f".{step}"
        else:
            path += f"[{step[:100]!a}]"
    return path
