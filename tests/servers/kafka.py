"""A Kafka broker for the tests: KRaft, in a temporary folder; more brokers may join it.

Uses the cluster at CHECKOUT_TEST_KAFKA if that is set, else starts a broker from jars that Maven fetches.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.servers import programs

_HOME = Path(__file__).with_name("kafka_broker")
_JARS = _HOME / "jars"
_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""A small heap and a fast start; a test's broker does not live long enough for full compilation."""
_JAVA_FOLDERS = ("/usr/lib/jvm/*/bin", "/opt/java/*/bin")
_REMEDY = "apt-get install openjdk-17-jre-headless maven, or name a cluster in CHECKOUT_TEST_KAFKA"


def fetch_jars() -> None:
    """Let Maven download the broker's jars, once for all test processes."""
    with (_HOME / "pom.xml").open() as pom:
        fcntl.flock(pom, fcntl.LOCK_EX)
        if not _JARS.exists():
            _fetch_jars()


def _fetch_jars() -> None:
    maven = programs.find("mvn")
    if maven is None:
        programs.missing("Maven, which brings Kafka,", _REMEDY)
    with tempfile.TemporaryDirectory(dir=_HOME, prefix="jars.") as folder:
        downloaded = Path(folder) / "jars"
        copy = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        completed = subprocess.run(
            [maven, "-q", "-B", *copy, f"-DoutputDirectory={downloaded}"],
            cwd=_HOME,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if completed.returncode:
            first_line = completed.stdout.strip().partition("\n")[0]
            programs.missing("Kafka", f"Maven can't fetch it ({first_line}); {_REMEDY}")
        downloaded.rename(_JARS)


def _new_cluster_id() -> str:
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


@dataclass(frozen=True)
class Quorum:
    """The controllers of one Kafka cluster: the port of each by node id."""

    voters: Mapping[int, int] = field(default_factory=lambda: {1: programs.free_port()})
    cluster_id: str = field(default_factory=_new_cluster_id)


class OwnKafka:
    """A broker that tests may stop, freeze and restart on the same port with the same data.

    Clients use `protocol`; `settings` and `format_options` hold what that protocol needs besides.
    A broker that `joins` another one is no controller: the first broker is, and works without the second.
    With a `quorum`, the broker is one of several controllers, as `node_id`.
    """

    def __init__(
        self,
        settings: Mapping[str, str] | None = None,
        protocol: str = "PLAINTEXT",
        format_options: Sequence[str] = (),
        joins: OwnKafka | None = None,
        quorum: Quorum | None = None,
        node_id: int = 1,
    ) -> None:
        java = programs.find("java", *_JAVA_FOLDERS)
        if java is None:
            programs.missing("Kafka", _REMEDY)
        fetch_jars()
        self._java = java
        self._settings = dict(settings or {})
        self._protocol = protocol
        self._format_options = tuple(format_options)
        self._folder = Path(tempfile.mkdtemp(prefix="checkout-kafka-"))
        self._port = programs.free_port()
        self.quorum = joins.quorum if joins else quorum or Quorum()
        self.node_id = joins.node_id + 1 if joins else node_id
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """The broker's address."""
        return f"{programs.HOST}:{self._port}"

    def format(self) -> None:
        """Write the configuration and format an empty log."""
        listener = f"{self._protocol}://{programs.HOST}:{self._port}"
        voters = self.quorum.voters
        roles, listeners = "broker", listener
        if port := voters.get(self.node_id):
            roles = "broker,controller"
            listeners = f"{listener},CONTROLLER://{programs.HOST}:{port}"
        configuration = {
            "process.roles": roles,
            "node.id": str(self.node_id),
            "controller.quorum.voters": ",".join(
                f"{node_id}@{programs.HOST}:{port}" for node_id, port in voters.items()
            ),
            "controller.listener.names": "CONTROLLER",
            "listeners": listeners,
            "advertised.listeners": listener,
            "listener.security.protocol.map": (
                f"CONTROLLER:PLAINTEXT,{self._protocol}:{self._protocol}"
            ),
            "inter.broker.listener.name": self._protocol,
            "log.dirs": str(self._folder / "data"),
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "2",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
        } | self._settings
        lines = [f"{name}={value}" for name, value in configuration.items()]
        (self._folder / "server.properties").write_text("\n".join(lines))
        # With "=": one id in 64 begins with a dash and would be parsed as an option.
        options = [f"--cluster-id={self.quorum.cluster_id}", *self._format_options, "-c"]
        subprocess.run(
            self._command("kafka.tools.StorageTool", "format", *options),
            cwd=self._folder,
            check=True,
            capture_output=True,
            timeout=60,
        )

    def start(self) -> None:
        """Start the broker and wait until it accepts connections."""
        self.process = programs.start(
            self._command("kafka.Kafka"), self._folder, self._answers, within=60
        )

    def stop(self, *signals: signal.Signals) -> None:
        """Stop the broker with these signals, by default SIGTERM for an orderly shutdown."""
        if self.process:
            programs.end(self.process, *(signals or (signal.SIGTERM,)), within=30)

    def elected_controller(self) -> tuple[int, int]:
        """The epoch and the node id of the newest controller election that this broker took part in."""
        state = self._folder / "data" / "__cluster_metadata-0" / "quorum-state"
        elected = json.loads(state.read_text())
        return elected["leaderEpoch"], elected["leaderId"]

    def remove(self) -> None:
        """Kill the broker and delete its data."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self._folder)

    def _command(self, main: str, *arguments: str) -> list[str]:
        options = [*_JVM, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        program = [str(self._java), *options, "-cp", f"{_JARS}/*", main, *arguments]
        return [*program, str(self._folder / "server.properties")]

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((programs.HOST, self._port)) == 0


@contextmanager
def own_kafka(
    settings: Mapping[str, str] | None = None,
    protocol: str = "PLAINTEXT",
    format_options: Sequence[str] = (),
    joins: OwnKafka | None = None,
) -> Iterator[OwnKafka]:
    """A separate broker, which the test may stop."""
    broker = OwnKafka(settings, protocol, format_options, joins)
    try:
        broker.format()
        broker.start()
        yield broker
    finally:
        broker.remove()


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """A cluster that all tests share; each test uses its own topic prefix."""
    if configured := os.environ.get("CHECKOUT_TEST_KAFKA"):
        yield configured
        return
    with own_kafka() as broker:
        yield broker.bootstrap_servers
