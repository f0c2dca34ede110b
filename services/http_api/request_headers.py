"""Request headers: each declared once, for reading a request and for the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from starlette.datastructures import Headers

from domain.rejection import invalid
from domain.validation_errors import json_path
from services.command_handling import valid_traceparent
from services.http_api.entity_tag import NO_TAG, EntityTag

Value = TypeVar("Value")

MAX_TEXT = 255
"""The maximum length of a `Request-Id` and of an `Idempotency-Key`, in characters."""
VISIBLE = "[!-~]"
"""A visible ASCII character, as a regular expression."""

_TEXT = {"type": "string"}
_KEY_PATH = json_path(("Idempotency-Key",))
_REQUEST_ID = re.compile(rf"{VISIBLE}{{1,{MAX_TEXT}}}")
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_HAS_CONTROL = re.compile(f"[{_CONTROL}]")
_TAG = r'(?:W/)?"[!#-~\x80-\xff]*"'
_TAGS = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")
_NUMBER = "[1-9][0-9]{0,17}"
_VERSION = re.compile(rf'(?<!W/)"(0|{_NUMBER})(?:\.({_NUMBER}))?"')


@dataclass(frozen=True, slots=True)
class RequestHeader(Generic[Value]):
    """A header of a request. `read` turns it into a value, and raises `Rejection` if it is malformed."""

    name: str
    description: str
    schema: dict[str, Any]
    example: str
    read: Callable[[Headers], Value]

    def document(self) -> dict[str, Any]:
        """The parameter object of OpenAPI."""
        return {
            "name": self.name,
            "in": "header",
            "description": self.description,
            "schema": self.schema,
            "example": self.example,
        }


def _request_id(headers: Headers) -> str | None:
    given = headers.get("request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else None


def _traceparent(headers: Headers) -> str | None:
    return valid_traceparent(headers.get("traceparent"))


def _idempotency_key(headers: Headers) -> str | None:
    given = headers.getlist("idempotency-key")
    if not given:
        return None
    try:
        # HTTP headers are bytes, which Starlette decodes as Latin-1.
        key = given[0].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise invalid("Idempotency-Key is not UTF-8", _KEY_PATH) from None
    if len(given) > 1:
        raise invalid("Idempotency-Key is given more than once", _KEY_PATH)
    # The key goes into events, and CloudEvents attributes have no control characters (CloudEvents
    # 1.0, "Type System").
    if _HAS_CONTROL.search(key):
        raise invalid("Idempotency-Key has a control character", _KEY_PATH)
    if not 1 <= len(key) <= MAX_TEXT:
        raise invalid(f"Idempotency-Key must have 1 to {MAX_TEXT} characters", _KEY_PATH)
    return key


def _expected_tag(headers: Headers) -> EntityTag | None:
    """Strong comparison (RFC 9110, section 13.1.1): of a list, the one tag that can be a version.

    `NO_TAG` if no tag can, None if any version will do.
    """
    given = _listed(headers, "if-match")
    if given is None or given == "*":
        return None
    found = _VERSION.findall(given) if _TAGS.fullmatch(given) else ()
    tags = {EntityTag(int(version), int(epoch or 0)) for version, epoch in found}
    if len(tags) > 1:
        raise invalid(
            "If-Match names several versions; send the ETag of the answer that you go by",
            json_path(("If-Match",)),
        )
    return next(iter(tags), NO_TAG)


def _known_tags(headers: Headers) -> frozenset[str]:
    """Weak comparison (RFC 9110, section 13.1.2): the tags without their `W/`."""
    given = _listed(headers, "if-none-match") or ""
    return frozenset(tag.strip().removeprefix("W/") for tag in given.split(","))


def _listed(headers: Headers, name: str) -> str | None:
    """A header that is a list and may be sent on several lines; None if it is absent."""
    lines = headers.getlist(name)
    return ", ".join(lines).strip() if lines else None


REQUEST_ID = RequestHeader(
    "Request-Id",
    "Returned in the response, and recorded in the events as their correlation id. Generated if it is "
    f"absent, longer than {MAX_TEXT} characters, or not visible ASCII.",
    _TEXT,
    "visit-1",
    _request_id,
)
TRACEPARENT = RequestHeader(
    "traceparent",
    "A W3C trace context, passed on in the events.",
    _TEXT,
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    _traceparent,
)
IDEMPOTENCY_KEY = RequestHeader(
    "Idempotency-Key",
    "Makes the write safe to repeat: the same key, scoped to API key, method and path, with the same "
    "body and `If-Match` returns the first answer again and does nothing twice. Remembered for at "
    "least 7 days. UTF-8, without control characters.",
    {**_TEXT, "minLength": 1, "maxLength": MAX_TEXT, "pattern": f"^[^{_CONTROL}]+$"},
    "5f8a2c1e-update-1",
    _idempotency_key,
)
IF_MATCH = RequestHeader(
    "If-Match",
    "Write only if the checkout is still at this version: the `ETag` of an earlier answer. `*` is any "
    'version; a checkout that does not exist yet is at `"0"`. In a list, the one tag that is a version '
    "counts; several are rejected.",
    _TEXT,
    '"5"',
    _expected_tag,
)
IF_NONE_MATCH = RequestHeader(
    "If-None-Match",
    "Answer 304, without a body, if the checkout is still at one of these versions: `ETag`s of earlier "
    "answers, or `*`.",
    _TEXT,
    '"5"',
    _known_tags,
)
