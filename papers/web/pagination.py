"""Numbered pages of a long list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest


def get_page_or_404(
    request: HttpRequest, items: QuerySet[Any] | Sequence[Any], *, page_size: int
) -> Page[Any]:
    """Return the page that `?page=` names, by default the first; raise Http404 if there is none."""
    try:
        return Paginator(items, page_size).page(request.GET.get("page", 1))
    except InvalidPage:
        raise Http404 from None
