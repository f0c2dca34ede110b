"""The command consumer: commands from Kafka to the handler, and a reply or a dead letter for each."""
