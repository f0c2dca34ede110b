"""The auditor's tools: what happened, whether it adds up, and how to have it told again."""
