"""Imports the events that Kafka has and a restored event store has lost."""
