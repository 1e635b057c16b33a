"""newsletter/operations/views.py"""

from __future__ import annotations

import pytest
from django.test import Client

from newsletter.operations import health


def test_health_is_200_when_every_part_is_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "check_dependencies", lambda: {"database": True, "broker": True})

    response = client.get("/health/")

    assert (response.status_code, response.json()) == (
        200,
        {"ok": True, "database": True, "broker": True},
    )
    assert "no-store" in response.headers["Cache-Control"]


def test_health_is_503_when_a_part_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "check_dependencies", lambda: {"database": True, "broker": False})

    response = client.get("/health/")

    assert (response.status_code, response.json()) == (
        503,
        {"ok": False, "database": True, "broker": False},
    )


def test_health_allows_head_but_not_post(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "check_dependencies", lambda: {"database": True})

    response = client.head("/health/")

    assert (response.status_code, response.content) == (200, b"")
    assert client.post("/health/").status_code == 405
