"""newsletter/api/views.py"""

from __future__ import annotations

import pytest
from django.test import Client

from newsletter.api.routes import api

pytestmark = pytest.mark.django_db


def test_the_page_lists_every_operation_and_every_problem_type(client: Client) -> None:
    response = client.get("/api/v1/")
    page = response.content.decode()

    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert all(f"<code>GET {path}</code>" in page for path in api.get_openapi_schema()["paths"])
    assert page.count("curl ") == 6
    assert all(f'id="{status}"' in page for status in (400, 404, 405, 413, 422, 429, 500))
    assert not response.cookies


def test_the_page_states_the_rate_limit(client: Client) -> None:
    assert "120 requests per minute" in client.get("/api/v1/").content.decode()


def test_every_page_links_to_the_api_page(client: Client) -> None:
    assert '<a href="/api/v1/">' in client.get("/topics/").content.decode()
