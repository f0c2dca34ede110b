"""What the API is made of, for its operations to use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.command_handling import GroupCommitter
from services.http_api.checkout_reader import CheckoutReader
from services.http_api.history_reader import HistoryReader
from services.http_api.list_reader import ListReader
from services.http_api.payment_watch import PaymentWatch
from services.kafka.topics import Topics
from services.runtime.health import Check
from services.security.api_keys import ReloadingApiKeys


@dataclass(frozen=True)
class ApiDependencies:
    """Everything that an operation may need, and the readiness checks of the process."""

    writer: GroupCommitter
    payments: PaymentWatch
    checkouts: CheckoutReader
    lists: ListReader
    history: HistoryReader
    keys: ReloadingApiKeys
    topics: Topics
    checks: Mapping[str, Check]
