"""The real servers that tests run against: one module each, started and ended by the tests."""
