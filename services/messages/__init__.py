"""Everything that the outside sees: messages, errors, schemas, and the OpenAPI and AsyncAPI parts."""
