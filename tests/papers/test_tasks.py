"""What beat rings: every source, then the scores."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import time_machine
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from papers import tasks
from papers.ingest import registry
from papers.models import Paper
from papers.search import embeddings, encoder
from papers.sources import FetchRequest, SourceResponse, SourceUnavailableError
from papers.sources.http import SourceClient
from tests import factories
from tests.factories import NOW, TODAY
from tests.papers import semantic
from tests.papers.record_factories import record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def this_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def without_the_extra(monkeypatch):
    monkeypatch.setattr(encoder, "is_installed", lambda: False)


class Away:
    name, title = "away", "Away"

    def __init__(self, client: SourceClient) -> None: ...

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        yield SourceResponse(records=(record(upvotes=5),))
        raise SourceUnavailableError("Away could not be reached.")

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        raise NotImplementedError


def test_the_last_seven_days_are_asked_for_and_scored(settings, httpserver: HTTPServer):
    asked = []

    def answer(request: Request) -> Response:
        asked.append(request.args["date"])
        paper = {"id": "2605.00001", "title": "A robot", "upvotes": 9}
        page = [{"paper": paper}] if request.args["p"] == "0" else []
        return Response(json.dumps(page))

    httpserver.expect_request("/api/daily_papers").respond_with_handler(answer)
    settings.HUGGINGFACE_URL = httpserver.url_for("")
    settings.SOURCES = ["huggingface"]

    tasks.fetch_papers.delay()

    days = [TODAY - timedelta(days=ago) for ago in range(7)]
    assert sorted(set(asked), reverse=True) == [day.isoformat() for day in days]
    paper = Paper.objects.get()
    assert (paper.upvotes, paper.scored_at) == (9, NOW)


def test_a_source_that_fails_stops_neither_the_others_nor_the_scores(
    settings, httpserver: HTTPServer, monkeypatch, caplog
):
    httpserver.expect_request("/api/daily_papers").respond_with_data("[]")
    settings.HUGGINGFACE_URL = httpserver.url_for("")
    away = registry.SourceConfig(
        source_class=Away, url_setting="HUGGINGFACE_URL", poll_interval=timedelta(hours=1)
    )
    monkeypatch.setattr(registry, "SOURCES", {"away": away} | registry.SOURCES)
    settings.SOURCES = ["away", "huggingface"]
    caplog.set_level(logging.INFO)

    tasks.fetch_papers.delay()

    assert [each.getMessage() for each in caplog.records if each.name == "papers.tasks"] == [
        "away: Away could not be reached.",
        "away: 1 papers (1 new, 0 updated), 1 readings",
        "huggingface: 0 papers (0 new, 0 updated), 0 readings",
        "scored 1 papers",
    ]
    assert Paper.objects.get().scored_at == NOW


def test_score_papers_scores():
    paper = factories.paper(upvotes=3)

    tasks.score_papers.delay()

    paper.refresh_from_db()
    assert paper.upvotes == 3


def test_where_the_extra_is_new_papers_are_embedded(settings, httpserver: HTTPServer, monkeypatch):
    semantic.install_fake_encoder(monkeypatch)
    page = [{"paper": {"id": "2604.00001", "title": "A robot"}}]
    httpserver.expect_request("/api/daily_papers").respond_with_json(page)
    settings.HUGGINGFACE_URL = httpserver.url_for("")
    settings.SOURCES = ["huggingface"]
    factories.paper(title="One that had no vector")

    tasks.fetch_papers.delay()

    assert (Paper.objects.count(), embeddings.papers_without_embedding().count()) == (2, 0)
