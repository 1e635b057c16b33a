"""Records for tests: a source's words with boring defaults."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from papers.sources import Record
from tests.make import TODAY

_numbers = itertools.count(1)


def record(**fields: Any) -> Record:
    """A paper listed yesterday with ten upvotes, and no comments or stars told."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "arxiv_id": f"2604.{number:05d}",
        "title": f"A robot, part {number}",
        "abstract": "It moves.",
        "authors": ("Ada Lovelace",),
        "published_on": TODAY - timedelta(days=2),
        "listed_on": TODAY - timedelta(days=1),
        "upvotes": 10,
    }
    return Record(**defaults | fields)
