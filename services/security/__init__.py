"""API keys and the encryption of payment tokens."""
