"""The schemas of the messages as they are published, in `schemas/`, and what may become of them.

`make check` holds what the code says now against them: a change that would break whoever goes by a
published schema is an error, unless it is a new version beside it. `make schemas` renews the files.
"""
