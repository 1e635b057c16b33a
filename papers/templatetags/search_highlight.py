"""Template filters that highlight the words of a query in a text."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from papers.search.query import Query
from papers.text.tokens import highlight

register = template.Library()


@register.filter
def found_by(text: str, query: Query) -> SafeString:
    """Return the text escaped, with <mark> around the words of the query."""
    return highlight_html(text, query.highlight_terms())


@register.filter
def author_found_by(names: str, query: Query) -> SafeString:
    """Highlight the words of the query, with those of author: too."""
    return highlight_html(names, query.highlight_terms("author"))


def highlight_html(text: str, phrases: list[tuple[str, ...]]) -> SafeString:
    spans = (
        format_html("<mark>{}</mark>" if span.is_highlighted else "{}", span.text)
        for span in highlight(text, phrases)
    )
    return format_html_join("", "{}", ((span,) for span in spans))
