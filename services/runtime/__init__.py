"""What every process needs around its work: settings, logs, metrics, tracing, health, shutdown."""
