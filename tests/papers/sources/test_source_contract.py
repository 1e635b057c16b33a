"""Semantic Scholar, OpenAlex and GitHub, from the command to the readings of stored papers."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from typing import Any

import pytest
import stamina
import time_machine
from django.core.management import CommandError, call_command
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from papers.models import Paper, Reading
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fixed_time():
    with time_machine.travel(NOW, tick=False), stamina.set_testing(True):
        yield


@pytest.fixture(autouse=True)
def local_addresses(settings: Any, httpserver: HTTPServer) -> None:
    for name in ("SEMANTIC_SCHOLAR_URL", "OPENALEX_URL", "GITHUB_URL"):
        setattr(settings, name, httpserver.url_for(""))


def fetch(source: str) -> str:
    out = io.StringIO()
    call_command("fetch_papers", "--source", source, stdout=out, stderr=out)
    return out.getvalue()


def stored_readings() -> dict[str, int]:
    return dict(Reading.objects.values_list("source", "value"))


def test_semantic_scholar_adds_citations_and_a_summary(httpserver):
    factories.paper(arxiv_id="2605.00001")
    factories.paper(arxiv_id="2605.00002")
    item = {"externalIds": {"ArXiv": "2605.00001"}, "citationCount": 4, "tldr": {"text": "Short."}}
    httpserver.expect_request("/graph/v1/paper/batch").respond_with_json([item, None])

    assert fetch("semanticscholar") == (
        "semanticscholar: 1 papers (0 new, 1 updated), 1 readings, "
        "1 rejected (unknown to Semantic Scholar)\n"
    )
    assert Paper.objects.get(arxiv_id="2605.00001").machine_summary == "Short."
    assert stored_readings() == {Reading.Metric.SEMANTIC_SCHOLAR_CITATIONS: 4}


def test_openalex_adds_a_retraction(httpserver):
    factories.paper(arxiv_id="2605.00001")
    work = {
        "doi": "https://doi.org/10.48550/arxiv.2605.00001",
        "cited_by_count": 2,
        "is_retracted": True,
    }
    httpserver.expect_request("/works").respond_with_json({"results": [work]})

    assert fetch("openalex") == "openalex: 1 papers (0 new, 1 updated), 1 readings\n"
    assert Paper.objects.get().withdrawn
    assert stored_readings() == {Reading.Metric.OPENALEX_CITATIONS: 2}


def test_github_adds_stars_until_its_quota_is_used_up(httpserver):
    for name in ("first", "second", "third"):
        factories.paper(code_url=f"https://github.com/ada/{name}")
    calls = []

    def respond(request: Request) -> Response:
        calls.append(request.path)
        if len(calls) > 1:
            return Response("{}", status=403, headers={"Retry-After": "1800"})
        url = request.path.replace("/repos", "https://github.com")
        return Response(json.dumps({"html_url": url, "stargazers_count": 9}))

    httpserver.expect_request(re.compile("/repos/")).respond_with_handler(respond)
    out = io.StringIO()

    with pytest.raises(CommandError) as caught:
        call_command("fetch_papers", "--source", "github", stdout=out)

    assert out.getvalue() == "github: 1 papers (0 new, 0 updated), 1 readings\n"
    assert str(caught.value) == "GitHub answered 403 FORBIDDEN; retry after 1800 seconds."
    assert stored_readings() == {Reading.Metric.GITHUB_STARS: 9}

    with pytest.raises(CommandError, match="GitHub cannot be called yet"):
        fetch("github")
    assert len(calls) == 2

    with (
        time_machine.travel(NOW + timedelta(hours=1), tick=False),
        pytest.raises(CommandError, match="GitHub answered 403"),
    ):
        fetch("github")
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("source", "body", "sentence"),
    [
        (
            "semanticscholar",
            b'[{"paperId": "a"',
            "The answer is not JSON, or was cut off at character 16.",
        ),
        ("openalex", b"", "The answer is empty."),
        ("github", b"[]" + b" " * 2_000, "GitHub answered with more than 50 MB."),
    ],
    ids=["cut off", "empty", "huge"],
)
def test_an_invalid_response_is_reported_in_one_sentence(
    httpserver, monkeypatch, source, body, sentence
):
    monkeypatch.setattr("papers.sources.http.MAX_RESPONSE_BYTES", 1_000)
    factories.paper(code_url="https://github.com/ada/engine")
    httpserver.expect_request(re.compile("/")).respond_with_data(body)

    with pytest.raises(CommandError) as caught:
        fetch(source)

    assert str(caught.value) == sentence
    assert not Reading.objects.exists()
