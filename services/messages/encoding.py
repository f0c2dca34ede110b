"""The JSON of what is sent, from its model."""

from __future__ import annotations

import orjson
from pydantic import BaseModel


def encode(message: BaseModel) -> bytes:
    """The JSON of a model. Parts that are JSON already (`orjson.Fragment`) are sent as they are."""
    return orjson.dumps(vars(message), default=BaseModel.model_dump)
