"""Chooses the payment gateway that the settings name."""

from __future__ import annotations

from services.payment_worker.payment_gateway import PaymentGateway
from services.runtime.settings import BadSetting, Settings, variable


def gateway_of(settings: Settings) -> PaymentGateway:
    """The gateway to the configured provider. Raises `BadSetting`, naming what is missing."""
    if settings.payment_provider == "stripe":
        # Imported on use: Stripe's library is large, and every command would wait for it.
        from services.payment_worker.providers.stripe.gateway import StripeGateway

        secret = settings.stripe_secret()
        if settings.stripe_url is None:
            return StripeGateway(secret)
        return StripeGateway(secret, address=settings.stripe_url)
    if settings.payment_provider == "test":
        if settings.payment_test_file is None:
            raise BadSetting(
                f"{variable('payment_test_file')} is not set: where the test provider keeps its record"
            )
        from services.payment_worker.providers.test.gateway import FakeGateway

        return FakeGateway(settings.payment_test_file)
    raise BadSetting(f"{variable('payment_provider')} is not set: stripe or test")
