"""Mark in a text what was looked for."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from papers.search.query import Query
from papers.text.tokens import marked

register = template.Library()


@register.filter
def found_by(text: str, query: Query) -> SafeString:
    """Everything escaped, and <mark> around the matches."""
    return marks(text, query.in_text())


@register.filter
def author_found_by(names: str, query: Query) -> SafeString:
    return marks(names, query.in_text("author"))


def marks(text: str, wanted: list[tuple[str, ...]]) -> SafeString:
    pieces = (
        format_html("<mark>{}</mark>" if piece.marked else "{}", piece.text)
        for piece in marked(text, wanted)
    )
    return format_html_join("", "{}", ((piece,) for piece in pieces))
