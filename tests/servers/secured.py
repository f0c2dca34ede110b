"""Kafka, PostgreSQL and Redis with TLS and passwords, as in production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.servers.certificates import Certificates, certificates
from tests.servers.kafka import OwnKafka, own_kafka
from tests.servers.postgres import OwnPostgres, own_postgres
from tests.servers.redis import OwnRedis, own_redis

USER = "checkout"
KAFKA_PASSWORD, POSTGRES_PASSWORD, REDIS_PASSWORD = "kafka-Geheim", "pg-Geheim", "redis-Geheim"
PASSWORDS = (KAFKA_PASSWORD, POSTGRES_PASSWORD, REDIS_PASSWORD)

_SECURITY = "org.apache.kafka.common.security"
_ACCOUNT = f'username="{USER}" password="{KAFKA_PASSWORD}"'


@dataclass(frozen=True)
class SecuredServers:
    """The three servers, and the settings with which a service connects to Kafka."""

    kafka: OwnKafka
    postgres: OwnPostgres
    redis: OwnRedis
    authority: str

    def kafka_settings(self, mechanism: str) -> Mapping[str, str]:
        """Environment variables for a service that authenticates with this mechanism."""
        return {
            "CHECKOUT_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "CHECKOUT_KAFKA_SASL_MECHANISM": mechanism,
            "CHECKOUT_KAFKA_SASL_USERNAME": USER,
            "CHECKOUT_KAFKA_SASL_PASSWORD": KAFKA_PASSWORD,
            "CHECKOUT_KAFKA_SSL_CAFILE": self.authority,
        }


@contextmanager
def secured_servers() -> Iterator[SecuredServers]:
    """Start the servers with certificates of one authority."""
    with ExitStack() as stack:
        made = stack.enter_context(certificates())
        users = ["--add-scram", f"SCRAM-SHA-512=[name={USER},password={KAFKA_PASSWORD}]"]
        yield SecuredServers(
            stack.enter_context(own_kafka(_broker_settings(made), "SASL_SSL", users)),
            stack.enter_context(own_postgres(made, POSTGRES_PASSWORD)),
            stack.enter_context(own_redis(password=REDIS_PASSWORD, certificates=made)),
            str(made.authority),
        )


def _broker_settings(made: Certificates) -> dict[str, str]:
    plain = (
        f'{_SECURITY}.plain.PlainLoginModule required {_ACCOUNT} user_{USER}="{KAFKA_PASSWORD}";'
    )
    scram = f"{_SECURITY}.scram.ScramLoginModule required {_ACCOUNT};"
    return {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": plain,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": scram,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(made.key_and_certificate),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(made.authority),
    }
