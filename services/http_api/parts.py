"""What the API is made of, for its operations to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.command_handling import GroupCommitter
from services.http_api.checkout_reader import CheckoutReader
from services.http_api.list_reader import ListReader
from services.http_api.payment_watch import PaymentWatch
from services.http_api.point_in_time import PointInTimeReader
from services.kafka.topics import Topics
from services.runtime.health import Check
from services.security.api_keys import ReloadingApiKeys


@dataclass(frozen=True)
class ApiParts:
    """Everything that an operation may need, and the readiness checks of the process."""

    writer: GroupCommitter
    payments: PaymentWatch
    checkouts: CheckoutReader
    lists: ListReader
    history: PointInTimeReader
    keys: ReloadingApiKeys
    topics: Topics
    checks: Mapping[str, Check]
