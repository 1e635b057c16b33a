"""arXiv's categories as data: what they are called, and which are one (pure: no Django, no clock).

The terms of an arXiv record may also be of the ACM or of the MSC, or be an old name of a category:
whoever reads records or a reader's choice passes what was written through `canonical`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CATEGORIES_FILE = Path(__file__).with_name("categories.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One category as categories.json has it; inactive ones are those of old papers only."""

    id: str
    name: str
    group: str
    active: bool
    # What else arXiv calls it, or called it: math.IT is cs.IT, cmp-lg was cs.CL.
    aliases: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


def canonical_id(name: str) -> str:
    """The id that arXiv files it under today, however it was written; empty for no category."""
    found = categories_by_alias().get(name.strip().lower())
    return found.id if found else ""


def canonical_ids(names: Iterable[str]) -> list[str]:
    """The categories among what a record holds, each once, in its order: the primary one first."""
    return list(dict.fromkeys(filter(None, map(canonical_id, names))))


def category_name(category_id: str) -> str:
    """What a category is called: Machine Learning for cs.LG; empty for no category."""
    found = categories_by_alias().get(category_id.strip().lower())
    return found.name if found else ""


@cache
def all_categories() -> tuple[Category, ...]:
    """All of them, group by group: the most followed first."""
    rows = json.loads(CATEGORIES_FILE.read_text(encoding="utf-8"))["categories"]
    return tuple(Category(**row | {"aliases": tuple(row["aliases"])}) for row in rows)


def active_by_group() -> dict[str, list[Category]]:
    """What new papers can be in, under the names of its groups: for a form's list."""
    found: dict[str, list[Category]] = {}
    for category in all_categories():
        if category.active:
            found.setdefault(category.group, []).append(category)
    return found


@cache
def categories_by_alias() -> dict[str, Category]:
    return {
        name.lower(): category
        for category in all_categories()
        for name in (category.id, *category.aliases)
    }
