"""papers/admin.py: operators can view everything, and edit nothing that sources write."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from papers.models import Paper, Reading, Topic
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    return factories.login_operator(client)


@pytest.mark.parametrize("model", [Topic, Paper, Reading])
def test_the_list_and_the_detail_page_open(operator, model):
    factories.paper(topics=["robotics"], upvotes=4, title="A robot")
    name = model._meta.model_name
    row = model.objects.get()

    assert operator.get(reverse(f"admin:papers_{name}_changelist")).status_code == 200
    page = operator.get(reverse(f"admin:papers_{name}_change", args=[row.pk]))
    assert page.status_code == 200


@pytest.mark.parametrize("model", [Paper, Reading])
def test_rows_that_sources_write_are_read_only(rf, admin_user, model):
    request = rf.get("/")
    request.user = admin_user
    model_admin = admin.site.get_model_admin(model)

    assert model_admin.has_view_permission(request)
    assert not model_admin.has_add_permission(request)
    assert not model_admin.has_change_permission(request)
    assert not model_admin.has_delete_permission(request)


def test_a_paper_is_found_by_its_id_or_its_title(operator):
    factories.paper(arxiv_id="2605.77777", title="A robot")
    factories.paper(title="A voice")
    url = reverse("admin:papers_paper_changelist")

    for query in ("2605.77777", "robot"):
        page = operator.get(url, {"q": query}).content.decode()
        assert "A robot" in page
        assert "A voice" not in page


def test_the_list_of_readings_needs_no_more_queries_for_more_rows(
    operator, django_assert_max_num_queries
):
    for _ in range(20):
        factories.paper(upvotes=1)

    with django_assert_max_num_queries(8):
        operator.get(reverse("admin:papers_reading_changelist"))
