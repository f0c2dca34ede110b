"""Real servers for the tests, one module for each; the tests start and stop them."""
