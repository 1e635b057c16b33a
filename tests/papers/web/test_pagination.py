from __future__ import annotations

import pytest
from django.http import Http404
from django.test import RequestFactory

from papers.models import Paper
from papers.web.pagination import get_page_or_404
from tests import factories

pytestmark = pytest.mark.django_db


def names_on(query: str) -> list[str]:
    request = RequestFactory().get(f"/papers/{query}")
    found = Paper.objects.order_by("arxiv_id")
    return [paper.arxiv_id for paper in get_page_or_404(request, found, page_size=2)]


def test_without_a_name_it_is_the_first_page() -> None:
    papers = [factories.paper() for _ in range(3)]

    assert names_on("") == [paper.arxiv_id for paper in papers[:2]]
    assert names_on("?page=2") == [papers[2].arxiv_id]


@pytest.mark.parametrize("name", ["0", "3", "-1", "x", "", "1.5", "9" * 400, "\x00"])
def test_a_page_of_any_other_name_does_not_exist(name: str) -> None:
    for _ in range(3):
        factories.paper()

    with pytest.raises(Http404):
        names_on(f"?page={name}")


def test_an_empty_list_still_has_a_first_page() -> None:
    assert names_on("") == []
