"""The command service: commands from Kafka to the handler, a reply or a dead letter for each."""
