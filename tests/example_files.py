"""The JSON files in `tests/examples`: requests and responses of the original requirements."""

import json
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).with_name("examples")


def example(name: str) -> Any:
    """The parsed example of this name."""
    return json.loads((EXAMPLES / f"{name}.json").read_bytes())
