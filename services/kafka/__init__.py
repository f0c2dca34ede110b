"""Kafka as all services use it: topics, CloudEvents, a publisher and a consumer that lose nothing."""
