"""The connection to Kafka, as aiokafka's clients take it."""

from __future__ import annotations

from typing import Any

from aiokafka.helpers import create_ssl_context

from services.runtime.settings import BadSetting, Settings, variable

KafkaConnection = dict[str, Any]
"""Keyword arguments that each aiokafka client takes."""


def connection_of(settings: Settings) -> KafkaConnection:
    """The connection that the settings describe. Raises `BadSetting`."""
    connection: KafkaConnection = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        # A topic that was deleted and created again is noticed at the next refresh of the metadata.
        "metadata_max_age_ms": 5_000,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        if settings.kafka_sasl_username is None or settings.kafka_sasl_password is None:
            raise BadSetting(
                f"{variable('kafka_sasl_username')} and {variable('kafka_sasl_password')} "
                f"are needed for {settings.kafka_security_protocol}"
            )
        connection |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": settings.kafka_sasl_password.get_secret_value(),
        }
    if settings.kafka_security_protocol.endswith("SSL"):
        try:
            connection["ssl_context"] = create_ssl_context(
                cafile=_path(settings.kafka_ssl_cafile),
                certfile=_path(settings.kafka_ssl_certfile),
                keyfile=_path(settings.kafka_ssl_keyfile),
            )
        except (OSError, ValueError) as error:
            names = ", ".join(
                variable(f"kafka_ssl_{name}") for name in ("cafile", "certfile", "keyfile")
            )
            raise BadSetting(f"{names}: {error}") from None
    return connection


def _path(path: object) -> str | None:
    return str(path) if path else None
