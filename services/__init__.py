"""What runs: each thing that can be started, and beside them what they share."""
