"""papers/web/pagination.py"""

from __future__ import annotations

import pytest
from django.http import Http404
from django.test import RequestFactory

from papers.models import Paper
from papers.web.pagination import get_page_or_404
from tests import factories

pytestmark = pytest.mark.django_db


def ids_on_page(query: str) -> list[str]:
    request = RequestFactory().get(f"/papers/{query}")
    papers = Paper.objects.order_by("arxiv_id")
    return [paper.arxiv_id for paper in get_page_or_404(request, papers, page_size=2)]


def test_the_first_page_is_the_default() -> None:
    papers = [factories.paper() for _ in range(3)]

    assert ids_on_page("") == [paper.arxiv_id for paper in papers[:2]]
    assert ids_on_page("?page=2") == [papers[2].arxiv_id]


@pytest.mark.parametrize("number", ["0", "3", "-1", "x", "", "1.5", "9" * 400, "\x00"])
def test_a_page_that_does_not_exist_is_a_404(number: str) -> None:
    for _ in range(3):
        factories.paper()

    with pytest.raises(Http404):
        ids_on_page(f"?page={number}")


def test_an_empty_list_has_an_empty_first_page() -> None:
    assert ids_on_page("") == []
