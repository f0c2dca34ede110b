"""Read models: from a checkout's events to what GET serves, kept in Redis and built again at will."""
