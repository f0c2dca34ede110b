"""The HTTP API: `/v1/checkouts` for storefronts and shopping agents."""
