"""Commits are lost under load: what Kafka has comes back, and no reader takes the lost for the new."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.audit import Audit
from tests.faults.builds import Build, Patch
from tests.faults.cluster import Cluster
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.load_run import start_services, wait_for_count, wait_until_ready
from tests.faults.loss import lose_commits
from tests.servers.postgres_pair import PostgresPair, postgres_pair

NAMES = ("api", "api", "commands", "relay", "projector", "payments")
IGNORES_EPOCHS = (
    Patch(
        "projections/redis/keys.py",
        'return f"{self._of_store}{self.lineage.epoch}:"',
        'return f"{self._of_store}0:"',
    ),
    Patch(
        "services/http_api/entity_tag.py",
        """f'"{self.identity}-{self.digest}"' if self.digest else f'"{self.identity}"'""",
        """f'"{self.version}"'""",
    ),
)
"""Views of an earlier epoch are served in a later one, and the ETag does not name the epoch."""


@pytest.fixture
def pair() -> Iterator[PostgresPair]:
    with postgres_pair(synchronous=False) as made:
        yield made


async def test_what_was_published_survives_a_loss_and_readers_know_the_new_epoch(
    on_pair: Cluster, pair: PostgresPair
):
    audit, ledger = await run_with_losses(on_pair, pair)

    assert not audit.violations, "\n".join(audit.violations[:20])
    assert audit.lost
    assert ledger.counts["events imported"]
    assert max(epoch for epoch, _ in ledger.promised.values()) > 0


async def test_a_build_whose_views_ignore_epochs_is_caught(
    on_pair: Cluster, pair: PostgresPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tests.faults.audit._CATCH_UP_SECONDS", 15.0)
    build = Build(tmp_path / "broken", IGNORES_EPOCHS)
    on_pair.environment |= build.environment

    audit, _ = await run_with_losses(on_pair, pair)

    assert all(build.runs_in(service) for service in on_pair.services)
    assert any("with two contents" in line for line in audit.violations), audit.violations


async def run_with_losses(cluster: Cluster, pair: PostgresPair) -> tuple[Audit, Ledger]:
    """Lose commits twice under load, first only published ones, and audit."""
    services = await start_services(cluster, *NAMES)
    apis = services[:2]
    async with Load(cluster, apis, checkouts=8, buyers=2) as load:
        for is_relay_frozen in (False, True):
            await wait_for_count(load.ledger.counts, "http writes", by=40, within=60)
            await lose_commits(
                cluster, pair, services, load.ledger, 1.0, is_relay_frozen=is_relay_frozen
            )
            await wait_until_ready(*services)
        await wait_for_count(load.ledger.counts, "http writes", by=40, within=60)
        await wait_for_count(load.ledger.counts, "reads", by=100, within=60)
    audit = Audit(cluster, load.ledger, apis[0])
    await audit.run()
    return audit, load.ledger
