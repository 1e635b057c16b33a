"""The Celery tasks: poll every due source, then score and embed."""

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
def fixed_time():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def without_embeddings(monkeypatch):
    monkeypatch.setattr(encoder, "is_installed", lambda: False)


class FailingSource:
    """A source that fails after its first response."""

    name, title = "failing", "Failing"

    def __init__(self, client: SourceClient) -> None: ...

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        yield SourceResponse(records=(record(upvotes=5),))
        raise SourceUnavailableError("Failing could not be reached.")

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        raise NotImplementedError


def test_the_last_seven_days_are_requested_and_scored(settings, httpserver: HTTPServer):
    requested_days = []

    def respond(request: Request) -> Response:
        requested_days.append(request.args["date"])
        paper = {"id": "2605.00001", "title": "A robot", "upvotes": 9}
        page = [{"paper": paper}] if request.args["p"] == "0" else []
        return Response(json.dumps(page))

    httpserver.expect_request("/api/daily_papers").respond_with_handler(respond)
    settings.HUGGINGFACE_URL = httpserver.url_for("")
    settings.SOURCES = ["huggingface"]

    tasks.fetch_papers.delay()

    days = [TODAY - timedelta(days=ago) for ago in range(7)]
    assert sorted(set(requested_days), reverse=True) == [day.isoformat() for day in days]
    paper = Paper.objects.get()
    assert (paper.upvotes, paper.scored_at) == (9, NOW)


def test_a_failing_source_stops_neither_the_others_nor_the_scoring(
    settings, httpserver: HTTPServer, monkeypatch, caplog
):
    httpserver.expect_request("/api/daily_papers").respond_with_data("[]")
    settings.HUGGINGFACE_URL = httpserver.url_for("")
    failing = registry.SourceConfig(
        source_class=FailingSource, url_setting="HUGGINGFACE_URL", poll_interval=timedelta(hours=1)
    )
    monkeypatch.setattr(registry, "SOURCES", {"failing": failing} | registry.SOURCES)
    settings.SOURCES = ["failing", "huggingface"]
    caplog.set_level(logging.INFO)

    tasks.fetch_papers.delay()

    assert [log.getMessage() for log in caplog.records if log.name == "papers.tasks"] == [
        "failing: Failing could not be reached.",
        "failing: 1 papers (1 new, 0 updated), 1 readings",
        "huggingface: 0 papers (0 new, 0 updated), 0 readings",
        "scored 1 papers",
    ]
    assert Paper.objects.get().scored_at == NOW


def test_score_papers_writes_the_metrics():
    paper = factories.paper(upvotes=3)

    tasks.score_papers.delay()

    paper.refresh_from_db()
    assert paper.upvotes == 3


def test_new_papers_are_embedded_if_the_extra_is_installed(
    settings, httpserver: HTTPServer, monkeypatch
):
    semantic.install_fake_encoder(monkeypatch)
    page = [{"paper": {"id": "2604.00001", "title": "A robot"}}]
    httpserver.expect_request("/api/daily_papers").respond_with_json(page)
    settings.HUGGINGFACE_URL = httpserver.url_for("")
    settings.SOURCES = ["huggingface"]
    factories.paper(title="A paper without an embedding")

    tasks.fetch_papers.delay()

    assert (Paper.objects.count(), embeddings.papers_without_embedding().count()) == (2, 0)
