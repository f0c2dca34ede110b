"""Chooses the payment gateway that the settings name."""

from __future__ import annotations

from services.payment_worker.payment_gateway import PaymentGateway
from services.runtime.settings import BadSetting, Settings, variable


def gateway_of(settings: Settings) -> PaymentGateway:
    """The gateway to the configured provider. Raises `BadSetting`, naming what is missing."""
    # Imported on use: Stripe's library is large, and every command would wait for it.
    match settings.payment_provider:
        case "stripe":
            from services.payment_worker.providers.stripe.gateway import from_settings
        case "test":
            from services.payment_worker.providers.test.gateway import from_settings
        case None:
            raise BadSetting(f"{variable('payment_provider')} is not set: stripe or test")
    return from_settings(settings)
