"""Service processes on real servers, which a test may kill, freeze and restart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.security.api_keys import Scope, create_key
from services.security.token_encryption import new_key_line
from tests.servers import programs
from tests.servers.kafka import OwnKafka, own_kafka
from tests.servers.kafka_cluster import KafkaCluster, kafka_cluster
from tests.servers.postgres import OwnPostgres, fresh_database, own_postgres
from tests.servers.postgres_pair import PostgresPair, postgres_pair
from tests.servers.redis import OwnRedis, own_redis
from tests.servers.redis_sentinel import RedisWithSentinels, redis_with_sentinels

CHECKOUT = Path(sys.executable).with_name("checkout")
BOOK = Path(__file__).parents[2] / "domain" / "demo_book.toml"
API_KEY = "a key that the tests know"


class ServiceProcess:
    """One `checkout <service>` process, on a port that it keeps across restarts."""

    def __init__(self, service: str, environment: Mapping[str, str], logs: Path) -> None:
        self.service = service
        self.port = programs.free_port()
        self._environment = {**environment, "CHECKOUT_HTTP_PORT": str(self.port)}
        self._log = logs / f"{service}-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL that the service listens on."""
        return f"http://{programs.HOST}:{self.port}"

    def start(self) -> None:
        """Start the process without waiting."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [CHECKOUT, self.service], env=self._environment, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """Send SIGKILL and wait for the process to end."""
        if self.process:
            self.process.kill()
            self.process.wait(10)

    def stop(self, within: float = 10.0) -> int:
        """Send SIGTERM; returns the exit status.

        Raises `subprocess.TimeoutExpired` if the process runs longer than `within` seconds.
        """
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)

    def freeze(self) -> None:
        """Send SIGSTOP: the process exists but does not run."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Send SIGCONT."""
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def has_exited(self) -> bool:
        """Whether the process was started and has exited."""
        return self.process is not None and self.process.poll() is not None

    def is_ready(self) -> bool:
        """Whether `/readyz` says that all is well, also what the service could do without."""
        return self.status() == "ready"

    def status(self) -> str:
        """The status that `/readyz` tells; empty if it does not answer."""
        try:
            return str(httpx.get(f"{self.url}/readyz", timeout=3).json()["status"])
        except httpx.HTTPError:
            return ""

    def readiness(self) -> dict[str, str]:
        """The checks in the body of `/readyz`, by name."""
        checks = httpx.get(f"{self.url}/readyz", timeout=5).json()["checks"]
        return dict(checks)

    def log(self) -> str:
        """The whole log of the process."""
        return self._log.read_text(errors="replace")


@dataclass(frozen=True)
class SharedServer:
    """A server shared with other tests, so it must not be stopped."""

    address: str

    @property
    def bootstrap_servers(self) -> str:
        """The address, under the name that Kafka clients use."""
        return self.address

    @property
    def url(self) -> str:
        """The address, under the name that PostgreSQL clients use."""
        return self.address


class Cluster:
    """Real servers with separate topics, and any number of service processes on them."""

    def __init__(
        self,
        kafka: OwnKafka | KafkaCluster | SharedServer,
        postgres: OwnPostgres | PostgresPair | SharedServer,
        redis: OwnRedis | RedisWithSentinels,
        database: str,
        folder: Path,
    ) -> None:
        self.kafka, self.postgres, self.redis = kafka, postgres, redis
        self.database = database
        self.folder = folder
        self.prefix = f"t{uuid.uuid4().hex[:8]}."
        self.services: list[ServiceProcess] = []
        keys = folder / "api-keys.json"
        create_key(keys, "tests", list(Scope), API_KEY)
        token_keys = folder / "token-keys"
        token_keys.write_text(new_key_line("tests"))
        self.payments_record = folder / "test-payments.db"
        self.environment = {
            # Without coverage: faster tests cover this code, and measuring it costs half as much again.
            **{k: v for k, v in os.environ.items() if not k.startswith(("CHECKOUT_", "COVERAGE_"))},
            "CHECKOUT_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "CHECKOUT_TOPIC_PREFIX": self.prefix,
            "CHECKOUT_TOPIC_PARTITIONS": "4",
            "CHECKOUT_EVENT_STORE_URL": database,
            "CHECKOUT_REDIS_URL": redis.url,
            "CHECKOUT_MERCHANT_FILE": str(BOOK),
            "CHECKOUT_API_KEYS_FILE": str(keys),
            "CHECKOUT_TOKEN_KEYS_FILE": str(token_keys),
            "CHECKOUT_PAYMENT_PROVIDER": "test",
            "CHECKOUT_PAYMENT_TEST_FILE": str(self.payments_record),
        }

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a `checkout` command and wait for its end."""
        return subprocess.run(
            [CHECKOUT, *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def add(self, service: str, **environment: str) -> ServiceProcess:
        """Start one more service process without waiting until it is ready."""
        process = self.prepare(service, **environment)
        process.start()
        return process

    def prepare(self, service: str, **environment: str) -> ServiceProcess:
        """A service process that is not started yet."""
        process = ServiceProcess(service, {**self.environment, **environment}, self.folder)
        self.services.append(process)
        return process

    def stop(self) -> None:
        """Kill every service process, also a frozen one."""
        for service in self.services:
            if service.process and service.process.poll() is None:
                service.thaw()
                service.kill()


@dataclass(frozen=True)
class ReplicatedCluster:
    """A cluster, and its servers of which one may fail."""

    cluster: Cluster
    kafka: KafkaCluster
    postgres: PostgresPair


@contextmanager
def cluster(**environment: str) -> Iterator[Cluster]:
    """New servers with topics and no services yet.

    `environment` applies to all services and to the creation of the topics.
    """
    with (
        own_kafka() as kafka,
        own_postgres() as postgres,
        cluster_on(kafka, postgres, **environment) as new_cluster,
    ):
        yield new_cluster


@contextmanager
def replicated_cluster(
    *, synchronous: bool, sentinels: bool, **environment: str
) -> Iterator[ReplicatedCluster]:
    """Three Kafka brokers, a PostgreSQL primary with a standby, and one Redis or two with Sentinels."""
    replication = {"CHECKOUT_TOPIC_REPLICATION": "3"}
    with (
        kafka_cluster() as kafka,
        postgres_pair(synchronous=synchronous) as postgres,
        redis_with_sentinels() if sentinels else nullcontext() as redis,
        cluster_on(kafka, postgres, redis, **replication, **environment) as new_cluster,
    ):
        yield ReplicatedCluster(new_cluster, kafka, postgres)


@contextmanager
def cluster_on(
    kafka: OwnKafka | KafkaCluster | SharedServer,
    postgres: OwnPostgres | PostgresPair | SharedServer,
    redis: RedisWithSentinels | None = None,
    **environment: str,
) -> Iterator[Cluster]:
    """New topics and a new database on these servers, and a new Redis unless one is given."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="checkout-faults-")))
        new_cluster = Cluster(
            kafka,
            postgres,
            redis or stack.enter_context(own_redis()),
            stack.enter_context(fresh_database(postgres.url)),
            folder,
        )
        stack.callback(new_cluster.stop)
        new_cluster.environment |= environment
        created = new_cluster.run("topics")
        assert created.returncode == 0, created.stderr
        yield new_cluster
