"""The HTTP door: `/v1/checkouts` for storefronts and shopping agents."""
