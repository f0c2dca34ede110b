"""The headers of dead letters, behind those that the message came with."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict


class DeadLetterReason(StrEnum):
    """Why a message became a dead letter."""

    UNDECODABLE_HEADER_NAME = "undecodable_header_name"
    BATCHED_EVENTS = "batched_events"
    MALFORMED_STRUCTURED_EVENT = "malformed_structured_event"
    MISSING_ATTRIBUTES = "missing_attributes"
    INVALID_SUBJECT = "invalid_subject"
    OVERSIZED_IDENTITY = "oversized_identity"
    INTERNAL = "internal"


_DESCRIPTIONS = {
    DeadLetterReason.UNDECODABLE_HEADER_NAME: "the name of a header is not UTF-8",
    DeadLetterReason.BATCHED_EVENTS: "it is a batch of CloudEvents, and no headers name one command",
    DeadLetterReason.MALFORMED_STRUCTURED_EVENT: "it is no CloudEvent in JSON, though its content type "
    "says so",
    DeadLetterReason.MISSING_ATTRIBUTES: "id, source, type or subject is missing, so that no reply can "
    "be sent",
    DeadLetterReason.INVALID_SUBJECT: "the subject can't be a checkout's id",
    DeadLetterReason.OVERSIZED_IDENTITY: "the id or source is over 50,000 bytes long, more than a reply "
    "can hold",
    DeadLetterReason.INTERNAL: "the service failed on it, by a fault of its own",
}

_Text = Annotated[str, Field(min_length=1)]
_Digits = Annotated[str, Field(pattern="^[0-9]+$")]


class DeadLetterHeaders(TypedDict):
    """Where a dead letter came from, and why."""

    dl_reason: Annotated[
        str,
        Field(
            json_schema_extra={"enum": [reason.value for reason in DeadLetterReason]},
            description="; ".join(f"`{reason}`: {why}" for reason, why in _DESCRIPTIONS.items()),
        ),
    ]
    dl_topic: Annotated[_Text, Field(description="The topic of the message.")]
    dl_partition: Annotated[_Digits, Field(description="Its partition there.")]
    dl_offset: Annotated[_Digits, Field(description="Its offset there.")]
    dl_time: Annotated[
        str,
        Field(
            json_schema_extra={"format": "date-time"}, description="When it became a dead letter."
        ),
    ]
    dl_checkout_version: NotRequired[
        Annotated[
            _Digits,
            Field(
                description="The version of its checkout then, if the service failed on a command; 0: "
                "there was no checkout."
            ),
        ]
    ]
    dl_truncated: NotRequired[
        Annotated[Literal["true"], Field(description="Present if something was cut to fit.")]
    ]
    dl_value_sha256: NotRequired[
        Annotated[
            str,
            Field(
                pattern="^[0-9a-f]{64}$",
                description="The digest of the whole value, if something was cut.",
            ),
        ]
    ]
