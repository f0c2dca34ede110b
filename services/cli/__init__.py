"""The command line: `checkout`."""
