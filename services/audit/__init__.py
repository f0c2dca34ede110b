"""The auditor's tools: history, verification, repair of read models, and replay."""
