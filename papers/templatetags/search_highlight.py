"""Mark in a text what was looked for."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from papers.search.query import Query
from papers.text.tokens import highlight

register = template.Library()


@register.filter
def found_by(text: str, query: Query) -> SafeString:
    """Everything escaped, and <mark> around the matches."""
    return highlight_html(text, query.highlight_terms())


@register.filter
def author_found_by(names: str, query: Query) -> SafeString:
    return highlight_html(names, query.highlight_terms("author"))


def highlight_html(text: str, phrases: list[tuple[str, ...]]) -> SafeString:
    pieces = (
        format_html("<mark>{}</mark>" if piece.is_highlighted else "{}", piece.text)
        for piece in highlight(text, phrases)
    )
    return format_html_join("", "{}", ((piece,) for piece in pieces))
