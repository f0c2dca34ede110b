"""The JSON of `tests/examples`: the requests and answers that the service was asked for with."""

import json
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).with_name("examples")


def example(name: str) -> Any:
    """The parsed file of that name."""
    return json.loads((EXAMPLES / f"{name}.json").read_bytes())
