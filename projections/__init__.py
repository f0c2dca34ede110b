"""Read models: from the state of a checkout to what GET serves, kept in Redis and rebuilt at will.

To add a read model: write its `Projection` in a module here, add it to `registry.PROJECTIONS`, and serve it.
Writer, projector, rebuild and audit take it from the registry.
"""
