"""What the sources that know more tell of papers that are known, from the command to the readings."""

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
def this_morning():
    with time_machine.travel(NOW, tick=False), stamina.set_testing(True):
        yield


@pytest.fixture(autouse=True)
def everywhere(settings: Any, httpserver: HTTPServer) -> None:
    for name in ("SEMANTIC_SCHOLAR_URL", "OPENALEX_URL", "GITHUB_URL"):
        setattr(settings, name, httpserver.url_for(""))


def fetch(source: str) -> str:
    out = io.StringIO()
    call_command("fetch_papers", "--source", source, stdout=out, stderr=out)
    return out.getvalue()


def figures() -> dict[str, int]:
    return dict(Reading.objects.values_list("source", "value"))


def test_semantic_scholar_tells_how_often_a_paper_is_cited(httpserver):
    factories.paper(arxiv_id="2605.00001")
    factories.paper(arxiv_id="2605.00002")
    told = {"externalIds": {"ArXiv": "2605.00001"}, "citationCount": 4, "tldr": {"text": "Short."}}
    httpserver.expect_request("/graph/v1/paper/batch").respond_with_json([told, None])

    assert fetch("semanticscholar") == (
        "semanticscholar: 1 papers (0 new, 1 updated), 1 readings, "
        "1 rejected (unknown to Semantic Scholar)\n"
    )
    assert Paper.objects.get(arxiv_id="2605.00001").machine_summary == "Short."
    assert figures() == {Reading.Metric.SEMANTIC_SCHOLAR_CITATIONS: 4}


def test_openalex_tells_of_a_retraction(httpserver):
    factories.paper(arxiv_id="2605.00001")
    told = {"doi": "https://doi.org/10.48550/arxiv.2605.00001", "cited_by_count": 2}
    httpserver.expect_request("/works").respond_with_json(
        {"results": [told | {"is_retracted": True}]}
    )

    assert fetch("openalex") == "openalex: 1 papers (0 new, 1 updated), 1 readings\n"
    assert Paper.objects.get().withdrawn
    assert figures() == {Reading.Metric.OPENALEX_CITATIONS: 2}


def test_github_tells_the_stars_until_its_allowance_is_used_up(httpserver):
    for name in ("first", "second", "third"):
        factories.paper(code_url=f"https://github.com/ada/{name}")
    asked = []

    def answer(request: Request) -> Response:
        asked.append(request.path)
        if len(asked) > 1:
            return Response("{}", status=403, headers={"Retry-After": "1800"})
        address = request.path.replace("/repos", "https://github.com")
        return Response(json.dumps({"html_url": address, "stargazers_count": 9}))

    httpserver.expect_request(re.compile("/repos/")).respond_with_handler(answer)
    out = io.StringIO()

    with pytest.raises(CommandError) as caught:
        call_command("fetch_papers", "--source", "github", stdout=out)

    assert out.getvalue() == "github: 1 papers (0 new, 0 updated), 1 readings\n"
    assert str(caught.value) == "GitHub answered 403 FORBIDDEN and asks to wait 1800 seconds."
    assert figures() == {Reading.Metric.GITHUB_STARS: 9}

    with pytest.raises(CommandError, match="GitHub cannot be called yet"):
        fetch("github")
    assert len(asked) == 2

    with (
        time_machine.travel(NOW + timedelta(hours=1), tick=False),
        pytest.raises(CommandError, match="GitHub answered 403"),
    ):
        fetch("github")
    assert len(asked) == 3


@pytest.mark.parametrize("source", ["semanticscholar", "openalex", "github"])
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'[{"paperId": "a"', "The answer is not JSON, or was cut off at character 16."),
        (b"", "The answer is empty."),
        (b"[]" + b" " * 2_000, "{} answered with more than 50 MB."),
    ],
    ids=["cut off", "empty", "huge"],
)
def test_an_answer_that_is_none_is_one_sentence(httpserver, monkeypatch, source, body, sentence):
    monkeypatch.setattr("papers.sources.http.MAX_RESPONSE_BYTES", 1_000)
    factories.paper(code_url="https://github.com/ada/engine")
    httpserver.expect_request(re.compile("/")).respond_with_data(body)

    with pytest.raises(CommandError) as caught:
        fetch(source)

    titles = {"semanticscholar": "Semantic Scholar", "openalex": "OpenAlex", "github": "GitHub"}
    assert str(caught.value) == sentence.format(titles[source])
    assert not Reading.objects.exists()
