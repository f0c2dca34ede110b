"""A real broker: what is tested here is what brokers let pass."""

from tests.servers.kafka import kafka_bootstrap

__all__ = ["kafka_bootstrap"]
