"""The whole system in one process, with nothing installed: for a first look and for development."""
