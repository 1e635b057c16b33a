"""arXiv's categories: names, groups and aliases (pure: no Django, no clock).

An arXiv record mixes categories with ACM and MSC subject classes, and old records have old names of
categories. Pass whatever comes from a record or a reader through `canonical_id`.
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
    """A category in categories.json. New papers are not filed under an inactive one."""

    id: str
    name: str
    group: str
    active: bool
    # Other names, current and former: math.IT is cs.IT, cmp-lg was cs.CL.
    aliases: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


def canonical_id(name: str) -> str:
    """Return the current id for any name of a category, in any case; empty if there is none."""
    category = categories_by_alias().get(name.strip().lower())
    return category.id if category else ""


def canonical_ids(names: Iterable[str]) -> list[str]:
    """Return the ids of the categories among the names, each once, in the names' order."""
    return list(dict.fromkeys(filter(None, map(canonical_id, names))))


def category_name(category_id: str) -> str:
    """Return a category's title, such as "Machine Learning" for cs.LG; empty if there is none."""
    category = categories_by_alias().get(category_id.strip().lower())
    return category.name if category else ""


@cache
def all_categories() -> tuple[Category, ...]:
    """Return all categories group by group, the most popular groups first."""
    rows = json.loads(CATEGORIES_FILE.read_text(encoding="utf-8"))["categories"]
    return tuple(Category(**row | {"aliases": tuple(row["aliases"])}) for row in rows)


def active_by_group() -> dict[str, list[Category]]:
    """Return the active categories by the name of their group, as a form lists them."""
    groups: dict[str, list[Category]] = {}
    for category in all_categories():
        if category.active:
            groups.setdefault(category.group, []).append(category)
    return groups


@cache
def categories_by_alias() -> dict[str, Category]:
    return {
        name.lower(): category
        for category in all_categories()
        for name in (category.id, *category.aliases)
    }
