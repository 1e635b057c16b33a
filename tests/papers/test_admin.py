"""The operators can look at everything, and change nothing that the machine owns."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse

from papers.models import Paper, Reading, Topic
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client):
    return factories.login_operator(client)


@pytest.mark.parametrize("model", [Topic, Paper, Reading])
def test_the_list_and_the_page_of_a_row_open(desk, model):
    factories.paper(topics=["robotics"], upvotes=4, title="A robot")
    name = model._meta.model_name
    row = model.objects.get()

    assert desk.get(reverse(f"admin:papers_{name}_changelist")).status_code == 200
    page = desk.get(reverse(f"admin:papers_{name}_change", args=[row.pk]))
    assert page.status_code == 200


@pytest.mark.parametrize("model", [Paper, Reading])
def test_what_the_machine_owns_is_read_only(desk, rf, admin_user, model):
    request = rf.get("/")
    request.user = admin_user
    desk = admin.site.get_model_admin(model)

    assert desk.has_view_permission(request)
    assert not desk.has_add_permission(request)
    assert not desk.has_change_permission(request)
    assert not desk.has_delete_permission(request)


def test_a_paper_is_found_by_its_id_or_its_title(desk):
    factories.paper(arxiv_id="2605.77777", title="A robot")
    factories.paper(title="A voice")
    url = reverse("admin:papers_paper_changelist")

    for query in ("2605.77777", "robot"):
        page = desk.get(url, {"q": query}).content.decode()
        assert "A robot" in page
        assert "A voice" not in page


def test_the_list_of_readings_asks_no_more_for_many(desk, django_assert_max_num_queries):
    for _ in range(20):
        factories.paper(upvotes=1)

    with django_assert_max_num_queries(8):
        desk.get(reverse("admin:papers_reading_changelist"))
