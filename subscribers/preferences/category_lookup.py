"""Resolve what people type as an arXiv category, and suggest close matches (pure)."""

from __future__ import annotations

from difflib import get_close_matches

from papers.topics import categories

MAX_SUGGESTIONS = 3
MIN_SIMILARITY = 0.5


def resolve_category(text: str) -> str:
    """Return the canonical id for an id or an unambiguous name; empty if there is none."""
    if category_id := categories.canonical_id(text):
        return category_id
    matches = [
        category.id
        for category in categories.all_categories()
        if category.name.lower() == text.lower()
    ]
    return matches[0] if len(matches) == 1 else ""


def unknown_category_message(text: str) -> str:
    """Return an error message that suggests active categories by name, or else by a similar id."""
    needle = text.lower()
    active = [category for category in categories.all_categories() if category.active]
    suggestions = [
        category for category in active if len(needle) > 2 and needle in category.name.lower()
    ]
    if not suggestions:
        by_id = {category.id.lower(): category for category in active}
        similar_ids = get_close_matches(needle, by_id, n=MAX_SUGGESTIONS, cutoff=MIN_SIMILARITY)
        suggestions = [by_id[category_id] for category_id in similar_ids]
    sentence = f"arXiv has no category “{text[:40]}”."
    if not suggestions:
        return f"{sentence} Categories look like cs.RO or math.AG."
    return f"{sentence} Did you mean {' or '.join(map(str, suggestions[:MAX_SUGGESTIONS]))}?"
