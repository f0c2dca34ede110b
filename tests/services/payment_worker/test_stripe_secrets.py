"""Neither a buyer's token nor our key gets into a log line, an error or what is printed."""

from __future__ import annotations

import asyncio
import logging

import pytest

from services.payment_worker.payment_gateway import Declined, Paid, Undecided
from services.payment_worker.providers.stripe.gateway import StripeGateway
from services.runtime.settings import BadSetting
from tests.services.payment_worker.given import a_charge
from tests.services.payment_worker.stripe_stand_in import KEY, Answer, StripeStandIn, error, intent

TOKEN = "tok_verySecret"
QUOTING = f"No such token: '{TOKEN}', asked with {KEY}"


@pytest.mark.parametrize(
    "said",
    [
        intent("succeeded", client_secret=TOKEN),
        error(400, type="invalid_request_error", code="resource_missing", message=QUOTING),
        error(401, type="invalid_request_error", message=QUOTING),
        error(500, type="api_error", message=QUOTING),
        error(400, type="idempotency_error", message=QUOTING),
        Answer(502, QUOTING.encode()),
        Answer(200, QUOTING.encode(), cut=3),
    ],
    ids=lambda said: f"{said.status} {said.body[:40]!r}",
)
async def test_no_log_line_and_no_error_quotes_a_token_or_a_key(
    stripe: StripeStandIn,
    provider: StripeGateway,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    said: Answer,
):
    for name in (None, "stripe", "httpx"):
        caplog.set_level(logging.DEBUG, name)
    stripe.will(said)
    (outcome,) = await asyncio.gather(provider.charge(a_charge(TOKEN)), return_exceptions=True)
    lines = " ".join(f"{line.getMessage()} {vars(line)}" for line in caplog.records)
    told = f"{outcome!r} {outcome} {lines} {provider!r} {''.join(capfd.readouterr())}"
    assert isinstance(outcome, Paid | Declined | Undecided)
    assert getattr(outcome, "__context__", None) is None
    assert TOKEN not in told
    assert KEY not in told
    assert "/v1/payment_intents" not in told, "addresses have ids in them"


def test_a_library_that_would_print_what_it_sends_stops_the_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STRIPE_LOG", "debug")
    with pytest.raises(BadSetting, match="STRIPE_LOG must not be set"):
        StripeGateway(KEY)


def test_a_charge_and_a_provider_do_not_show_their_secrets():
    assert TOKEN not in repr(a_charge(TOKEN))
    assert KEY not in repr(StripeGateway(KEY))
