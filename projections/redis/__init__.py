"""Read models in Redis: storage, scripts, server identity, circuit breaker."""
