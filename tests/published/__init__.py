"""The published message schemas, in `schemas/`, and the check that they never break.

`make check` compares the current schemas with the published ones: a change that breaks publishers or
consumers is an error, unless it is a new version beside the old one. `make schemas` updates the files.
"""
