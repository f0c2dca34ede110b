"""The errors that end a command with one line instead of a traceback, and their exit status."""

from __future__ import annotations

from redis.exceptions import RedisError

from domain.checkout import BrokenStream
from services.audit.as_of import NotThere
from services.audit.views_rebuild import RebuildOvertaken
from services.dev import DevError
from services.event_store import SchemaOutdated, StoreUnavailable
from services.event_store.event_mapper import UnreadableEvent
from services.kafka.publisher import KafkaUnavailable
from services.kafka.topic_admin import WrongTopic
from services.messages.command_client import NoReply
from services.messages.schema_export import ForeignFile
from services.outbox_relay.republish import NotPublishing
from services.payment_worker.manual_resolution import CannotResolve
from services.payment_worker.reconcile import CannotReconcile
from services.runtime.settings import BadSetting
from services.security.api_keys import BadKeyName, BadKeysFile

_BAD_USAGE = (BadSetting, BadKeyName, BadKeysFile)
_FAILURES = (
    BrokenStream,
    CannotReconcile,
    CannotResolve,
    DevError,
    ForeignFile,
    KafkaUnavailable,
    NoReply,
    NotPublishing,
    NotThere,
    OSError,
    RedisError,
    RebuildOvertaken,
    SchemaOutdated,
    StoreUnavailable,
    UnreadableEvent,
    WrongTopic,
)


def exit_status(error: Exception) -> int | None:
    """2 for bad usage, 1 for a failure; None for a bug, which shows its traceback."""
    if isinstance(error, _BAD_USAGE):
        return 2
    return 1 if isinstance(error, _FAILURES) else None
