"""`/v1/checkouts`: its operations, their query parameters and their errors."""
