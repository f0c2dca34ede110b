"""`checkout payments`: the payment service, and the manual resolution of attempts."""

from __future__ import annotations

import asyncio
import getpass
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from domain.commands import RecordDecline, RecordPayment
from domain.rejection import Rejection
from services.bootstrap.connections import opened_store
from services.bootstrap.parts import utc_now
from services.cli.payments_reconcile import reconcile
from services.cli.terminal import escaped
from services.event_store import Attempt, AttemptState, EventStore
from services.payment_worker import manual_resolution
from services.runtime.log_config import configure_logging
from services.runtime.settings import Settings
from services.runtime.tracing import exporting_traces

app = typer.Typer(
    invoke_without_command=True,
    help="Run the payment service, list and resolve payment attempts manually, or compare payments with "
    "the provider.",
)
app.command()(reconcile)
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_PAGE = 100
_WAITING = (AttemptState.OPEN, AttemptState.BY_HAND, AttemptState.REFUND_DUE)


@app.callback()
def payments(context: typer.Context) -> None:
    """Run the payment service: call the provider for waiting attempts, and record the outcomes.

    Needs the event store, Redis, the merchant book, the token keys and a payment provider.
    """
    if context.invoked_subcommand:
        return
    # Imported on use: `list` and `resolve` need none of the service.
    from services.bootstrap import payment_worker as process

    configure_logging()
    needed = ("event_store_url", "redis_url", "merchant_file", "payment_provider")
    with exporting_traces("payments"):
        asyncio.run(process.run(Settings.load(*needed)))


@app.command("list")
def list_attempts(
    state: Annotated[
        list[AttemptState] | None,
        typer.Option(help="Only attempts in this state. By default, all that wait."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line per attempt.")
    ] = False,
) -> None:
    """List payment attempts, one per line: those that wait, unless a state is given.

    `open`: the provider is called until it gives a decisive answer. `by_hand`: needs manual resolution.
    `refund_due`: it was paid after it had ended otherwise.
    """
    count = asyncio.run(_list(state or list(_WAITING), as_json=as_json))
    if not count and not as_json:
        typer.echo("There are no such payment attempts.")


@app.command()
def resolve(
    attempt: Annotated[str, typer.Argument(help="The attempt's id, as `list` shows it.")],
    hold: Annotated[
        bool, typer.Option("--hold", help="First step: no worker calls the provider any more.")
    ] = False,
    paid: Annotated[
        str | None, typer.Option(metavar="PAYMENT_ID", help="The provider took this payment.")
    ] = None,
    declined: Annotated[
        bool, typer.Option("--declined", help="The provider took no payment, and will not.")
    ] = False,
    again: Annotated[bool, typer.Option("--ask-again", help="Return it to the workers.")] = False,
    refunded: Annotated[
        bool, typer.Option("--refunded", help="A late payment was refunded manually.")
    ] = False,
    message: Annotated[
        str, typer.Option(help="The message for the buyer, with --declined.")
    ] = "The payment could not be taken.",
    by: Annotated[
        str | None,
        typer.Option(
            help="The person who resolves it, for the audit. By default, the current user."
        ),
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Resolve a payment attempt for which the provider gives no decisive answer.

    Hold it, so that no worker calls the provider. Find the payment at the provider by the attempt's id, which
    is its idempotency key and in its metadata, and cancel what is still open. Then record how it ended.
    """
    if [hold, paid is not None, declined, again, refunded].count(True) != 1:
        raise typer.BadParameter(
            "give one of --hold, --paid PAYMENT_ID, --declined, --ask-again, --refunded"
        )
    for is_chosen, act, outcome in (
        (hold, manual_resolution.hold, "held"),
        (again, manual_resolution.ask_again, "asked again"),
        (refunded, manual_resolution.refunded, "refunded"),
    ):
        if is_chosen:
            asyncio.run(_act(act, attempt))
            _print({"attempt_id": attempt, "outcome": outcome}, f"is {outcome}", as_json=as_json)
            return
    data = {"payment_id": paid} if paid is not None else {"code": "by_hand", "message": message}
    kind = RecordDecline if declined else RecordPayment
    try:
        command = kind.parse({"attempt_id": attempt} | data)
    except Rejection as rejection:
        raise typer.BadParameter(f"{rejection.param}: {rejection.message}") from None
    version = asyncio.run(_resolve(command, f"operator {by or getpass.getuser()}"[:500]))
    facts = {"attempt_id": attempt, "version": version, "outcome": kind.NAME}
    _print(facts, f"is settled, version {version}", as_json=as_json)


def _print(facts: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(facts) if as_json else f"{facts['attempt_id']} {sentence}")


async def _list(states: list[AttemptState], *, as_json: bool) -> int:
    count = 0
    async with opened_store(_settings("event_store_url")) as store:
        for attempt in _attempts(store, states):
            typer.echo(json.dumps(_facts(attempt)) if as_json else _line(attempt))
            count += 1
    return count


async def _act(act: Callable[[EventStore, str], None], attempt_id: str) -> None:
    async with opened_store(_settings("event_store_url")) as store:
        await asyncio.to_thread(act, store, attempt_id)


async def _resolve(command: RecordPayment | RecordDecline, resolver: str) -> int:
    settings = _settings("event_store_url", "merchant_file")
    async with opened_store(settings) as store:
        return manual_resolution.resolve(store, settings.book(), utc_now, command, resolver)


def _settings(*needed: str) -> Settings:
    configure_logging(as_json=False, level=logging.ERROR)
    return Settings.load(*needed)


def _attempts(store: EventStore, states: list[AttemptState]) -> Iterator[Attempt]:
    after = ""
    while page := store.attempts.page(states, after, _PAGE):
        yield from page
        after = page[-1].attempt_id


def _facts(attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt_id": attempt.attempt_id,
        "checkout_id": attempt.checkout_id,
        "state": attempt.state,
        "amount": attempt.amount,
        "currency": attempt.currency,
        "provider": attempt.provider,
        "started_at": _timestamp(attempt.started_at),
        "asks": attempt.asks,
        "asked_again_at": _timestamp(attempt.due_at) if attempt.due_at else None,
        "payment_id": attempt.payment_id,
        "note": attempt.note,
    }


def _line(attempt: Attempt) -> str:
    facts = _facts(attempt)
    money = f"{attempt.amount} {attempt.currency}"
    parts = [attempt.attempt_id, attempt.checkout_id, attempt.state, money, facts["started_at"]]
    return "  ".join([*parts, f"asked {attempt.asks} times", escaped(attempt.note or "-")])


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
