"""The payment provider that the settings name."""

from __future__ import annotations

from services.payments.provider import PaymentProvider
from services.settings import BadSetting, Settings, variable


def provider_of(settings: Settings) -> PaymentProvider:
    """A provider that is ready to take charges. Raises `BadSetting`, naming what it lacks."""
    if settings.payment_provider == "stripe":
        # Imported where it is used: Stripe's library is large, and each command line would wait for it.
        from services.payments.stripe_provider import StripeProvider

        secret = settings.stripe_secret()
        if settings.stripe_url is None:
            return StripeProvider(secret)
        return StripeProvider(secret, address=settings.stripe_url)
    if settings.payment_provider == "test":
        if settings.payment_test_file is None:
            raise BadSetting(
                f"{variable('payment_test_file')} is not set: where the test provider keeps its record"
            )
        from services.payments.practice_provider import PracticeProvider

        return PracticeProvider(settings.payment_test_file)
    raise BadSetting(f"{variable('payment_provider')} is not set: stripe or test")
