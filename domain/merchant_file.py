"""Reads the merchant book from TOML, and finds the line of an error in it."""

from __future__ import annotations

import re
import tomllib

from pydantic import ValidationError

from domain.merchant_book import MerchantBook
from domain.validation_errors import json_path


class BrokenBook(Exception):
    """The merchant book is not valid. The message names the line and the field."""


def parse_book(text: str) -> MerchantBook:
    """Read a merchant book. Raises `BrokenBook`, which names the first line and field at fault."""
    try:
        book = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenBook(f"not TOML: {error}") from None
    try:
        return MerchantBook.model_validate(book)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        line = _line_of(text, first["loc"])
        field = json_path(first["loc"]).removeprefix("$").removeprefix(".")
        problem = first["msg"].removeprefix("Value error, ")
        raise BrokenBook(f"line {line}: {field}: {problem}") from None


def _line_of(text: str, loc: tuple[int | str, ...]) -> int:
    """The line of a field in TOML source: its own, else its table's, else the first.

    tomllib keeps no positions, so this relies on the usual layout of a book: one key a line.
    """
    lines = text.split("\n")
    table, *steps = loc
    header = re.compile(rf"\s*\[\[?\s*{_key(table)}\s*\]")
    headers = [number for number, line in enumerate(lines, start=1) if header.match(line)]
    nth = steps[0] if steps and isinstance(steps[0], int) else 0
    if nth >= len(headers):
        return _line_of_key(lines, table, 0) or 1
    fields = [step for step in steps if isinstance(step, str)]
    return (_line_of_key(lines, fields[0], headers[nth]) if fields else None) or headers[nth]


def _line_of_key(lines: list[str], key: int | str, after: int) -> int | None:
    """The line of a key after line `after`, before the next table."""
    pattern = re.compile(rf"\s*{_key(key)}\s*[=.]")
    for number, line in enumerate(lines[after:], start=after + 1):
        if pattern.match(line):
            return number
        if line.lstrip().startswith("["):
            break
    return None


def _key(name: int | str) -> str:
    return rf"[\"']?{re.escape(str(name))}[\"']?"
