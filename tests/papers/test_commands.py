"""What an operator types, and the line that comes back."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
import time_machine
from django.core.management import CommandError, call_command
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from papers.ingest import sample, schedule
from papers.models import Paper
from papers.search import encoder, engine
from papers.search.query import parse_query
from tests import factories
from tests.factories import NOW, TODAY
from tests.papers import semantic

pytestmark = pytest.mark.django_db

SAMPLE = len(sample.build_records(TODAY))
SAMPLE_READINGS = sum(
    figure is not None
    for _, records in sample.build_observations(TODAY)
    for record in records
    for figure in (record.upvotes, record.comments, record.stars)
)


@pytest.fixture(autouse=True)
def this_morning():
    with time_machine.travel(NOW, tick=False), stamina.set_testing(True):
        yield


@pytest.fixture(autouse=True)
def nothing_answers(settings):
    settings.HUGGINGFACE_URL = "http://127.0.0.1:9"


@pytest.fixture
def live(settings: Any, httpserver: HTTPServer) -> dict[str, Any]:
    """A source with the papers of each day that are put in here; a number is an error."""
    lists: dict[str, Any] = {}

    def answer(request: Request) -> Response:
        day = lists.get(request.args["date"], []) if request.args["p"] == "0" else []
        if isinstance(day, int):
            return Response("", status=day)
        return Response(json.dumps([item(each, request.args["date"]) for each in day]))

    httpserver.expect_request("/api/daily_papers").respond_with_handler(answer)
    settings.HUGGINGFACE_URL = httpserver.url_for("")
    return lists


def item(arxiv_id: str, day: str) -> dict[str, Any]:
    paper = {"id": arxiv_id, "title": "A robot", "upvotes": 3, "submittedOnDailyAt": day}
    return {"paper": paper, "title": "A robot", "numComments": 1}


def run(name: str, *arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_fetch_takes_in_the_last_days(live):
    live["2026-05-12"] = ["2605.00001"]
    live["2026-05-11"] = ["2605.00002", "2605.00003"]
    live["2026-05-08"] = ["2605.00004"]

    assert run("fetch_papers") == "huggingface: 3 papers (3 new, 0 updated), 6 readings\n"
    assert run("fetch_papers") == "huggingface: 3 papers (0 new, 0 updated), 0 readings\n"
    assert run("fetch_papers", "--days", "5") == (
        "huggingface: 4 papers (1 new, 0 updated), 2 readings\n"
    )


def test_a_failure_in_the_middle_keeps_what_came_before(live):
    live["2026-05-12"] = ["2605.00001"]
    live["2026-05-11"] = 500
    out = io.StringIO()

    with pytest.raises(CommandError) as caught:
        call_command("fetch_papers", stdout=out)

    assert out.getvalue() == "huggingface: 1 papers (1 new, 0 updated), 2 readings\n"
    assert str(caught.value) == "Hugging Face answered 500 INTERNAL SERVER ERROR."
    assert Paper.objects.count() == 1


def test_a_source_that_is_away_is_said_in_a_sentence():
    with pytest.raises(CommandError) as caught:
        run("fetch_papers")

    assert str(caught.value) == ("Hugging Face could not be reached (the connection was refused).")
    assert not Paper.objects.exists()


def test_the_sample_stands_in_for_a_source_that_is_away_and_says_so():
    assert run("fetch_papers", "--or-sample") == (
        "Hugging Face could not be reached (the connection was refused): "
        f"using the bundled sample of {SAMPLE} papers.\n"
        f"sample: {SAMPLE} papers ({SAMPLE} new, 0 updated), {SAMPLE_READINGS} readings\n"
    )


def test_the_sample_stands_in_for_a_source_without_papers(live):
    assert run("fetch_papers", "--or-sample").startswith(
        "There are no papers in the answer of Hugging Face: using the bundled sample of"
    )


def test_the_sample_does_not_stand_in_when_there_are_papers(live):
    live["2026-05-12"] = ["2605.00001"]
    live["2026-05-11"] = 404

    assert run("fetch_papers", or_sample=True) == (
        "huggingface: 1 papers (1 new, 0 updated), 2 readings\n"
        "Hugging Face answered 404 NOT FOUND.\n"
    )
    assert Paper.objects.count() == 1


def test_the_sample_can_be_asked_for_whatever_the_source_has(live):
    live["2026-05-12"] = ["2605.00001"]

    assert run("fetch_papers", "--sample").startswith(f"sample: {SAMPLE} papers")


def test_a_saved_answer_needs_no_network(tmp_path):
    saved = tmp_path / "2026-05-07.json"
    saved.write_text(json.dumps([item("2605.00001", "2026-05-07"), {"paper": {}}]))

    assert run("fetch_papers", "--from-file", str(saved)) == (
        "huggingface: 1 papers (1 new, 0 updated), 2 readings, 1 rejected (no id)\n"
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "There is no file"),
        (b"", "The answer is empty."),
        (b'[{"paper"', "The answer is not JSON, or was cut off at character 9."),
        (b"\x00\xff\x13", "The answer is not JSON, or was cut off."),
        (b"{}", "The answer is an object, not a list of papers."),
    ],
)
def test_a_file_that_is_no_answer_is_said_in_a_sentence(tmp_path: Path, content, sentence):
    path = tmp_path / "saved.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError) as caught:
        run("fetch_papers", "--from-file", str(path))

    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("days", ["0", "31", "-1", "x", "", "1.5", "٣", "9" * 5000])
def test_days_are_one_to_thirty(days):
    with pytest.raises(CommandError, match="is not a number of days from 1 to 30"):
        run("fetch_papers", f"--days={days}")


@pytest.mark.parametrize("options", [["--source", "x"], ["--source", "x", "--or-sample"]])
def test_an_unknown_source_is_said_and_nothing_stands_in(options):
    with pytest.raises(CommandError, match=r"There is no source 'x'\. Known: huggingface, "):
        run("fetch_papers", *options)

    assert not Paper.objects.exists()


def test_the_sample_is_no_excuse_for_a_file():
    with pytest.raises(CommandError, match="not allowed with"):
        run("fetch_papers", "--or-sample", "--from-file", "x")


def test_score_writes_the_scores_of_now():
    paper = factories.paper(upvotes=12)

    assert run("score_papers") == "Scored 1 papers as of 2026-05-12 06:00 UTC.\n"

    paper.refresh_from_db()
    assert (paper.upvotes, paper.scored_at) == (12, NOW)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-05-13", NOW.replace(hour=0) + timedelta(days=1)),
        ("2026-05-12T08:30:00+02:00", NOW + timedelta(minutes=30)),
        ("2026-05-12 06:30", NOW + timedelta(minutes=30)),
    ],
)
def test_score_as_of_another_moment(written, at):
    paper = factories.paper(upvotes=12)

    run("score_papers", "--at", written)

    paper.refresh_from_db()
    assert paper.scored_at == at


@pytest.mark.parametrize("written", ["yesterday", "2026-13-01", "12", "0001-01-01T00:00+23:00"])
def test_a_moment_that_is_none_is_said(written):
    with pytest.raises(CommandError, match="is not a moment such as 2026-05-12T06:00"):
        run("score_papers", "--at", written)


def test_index_papers_says_how_many():
    factories.paper(title="Robot")
    out = io.StringIO()

    call_command("index_papers", stdout=out)

    assert out.getvalue() == "Indexed 1 papers.\n"
    assert [each.title for each in engine.search(parse_query("robot")).papers] == ["Robot"]


def test_thin_readings_says_how_many_it_let_go():
    paper = factories.paper()
    for hours in range(3):
        factories.reading(paper=paper, observed_at=NOW - timedelta(days=100, hours=hours))

    assert run("thin_readings") == "Let go of 1 readings that are older than 90 days.\n"
    assert run("thin_readings") == "Let go of 0 readings that are older than 90 days.\n"


@pytest.mark.parametrize("days", ["0", "14", "-1", "x", "", "99999"])
def test_thin_readings_leaves_what_the_score_is_made_of(days):
    with pytest.raises(CommandError, match="is not a number of days of more than 14"):
        run("thin_readings", f"--days={days}")


def test_source_status_says_how_each_source_is_doing(settings):
    settings.SOURCES = ["huggingface"]
    assert run("source_status") == "huggingface: has not answered yet\n"

    schedule.mark_started("huggingface", now=NOW - timedelta(hours=5))
    schedule.mark_finished("huggingface", now=NOW - timedelta(hours=5), papers=30, error="")
    schedule.mark_started("huggingface", now=NOW - timedelta(hours=1))
    schedule.mark_finished("huggingface", now=NOW, papers=0, error="It answered 503.")

    assert run("source_status") == (
        "huggingface: answered 5 hours ago with 30 papers; failed 1 times since: It answered 503.\n"
    )
    [row] = json.loads(run("source_status", "--json"))
    assert (row["name"], row["age"], row["is_late"]) == ("huggingface", 5 * 3600, False)


def test_source_status_fails_when_a_source_has_long_been_silent(settings):
    settings.SOURCES = ["huggingface"]
    schedule.mark_started("huggingface", now=NOW - timedelta(hours=10))
    schedule.mark_finished("huggingface", now=NOW - timedelta(hours=10), papers=30, error="")

    with pytest.raises(CommandError, match="huggingface: no answer for too long"):
        run("source_status")


def test_fetch_fills_in_the_past_with_what_a_search_finds(settings, httpserver: HTTPServer):
    rows = [
        {"paper": {"id": "1706.03762", "title": "Attention", "submittedOnDailyAt": "2024-06-03"}}
    ]
    httpserver.expect_request("/api/papers/search").respond_with_data(json.dumps(rows))
    settings.HUGGINGFACE_URL = httpserver.url_for("")

    assert run("fetch_papers", "--query", " attention ").startswith("huggingface: 1 papers (1 new")
    [(request, _)] = httpserver.log
    assert request.args["q"] == "attention"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--source", "github", "--query", "x"], "GitHub cannot be searched: arxiv, huggingface"),
        (["--source", "arxiv-rss"], "is asked by category: set ARXIV_CATEGORIES"),
        (["--source", "arxiv-oai"], "is asked by category: set ARXIV_CATEGORIES"),
        (["--query", " "], "say with 1 to 250 characters"),
        (["--query", "x" * 251], "say with 1 to 250 characters"),
    ],
)
def test_what_a_source_cannot_be_asked_is_said(options, sentence):
    with pytest.raises(CommandError, match=sentence):
        run("fetch_papers", *options)


def test_embed_papers_says_how_many(monkeypatch):
    semantic.install_fake_encoder(monkeypatch)
    monkeypatch.setattr(encoder, "load_model", lambda: None)
    for _ in range(3):
        factories.paper()

    assert run("embed_papers", "--most", "2") == "Embedded 2 papers; 1 have no vector.\n"
    assert run("embed_papers") == "Embedded 1 papers; 0 have no vector.\n"
    assert run("embed_papers") == "Embedded 0 papers; 0 have no vector.\n"


def test_embed_papers_without_the_extra_says_what_to_install(monkeypatch):
    monkeypatch.setattr(encoder, "is_installed", lambda: False)
    encoder.load_model.cache_clear()

    with pytest.raises(CommandError, match="The extra `semantic` is not installed"):
        run("embed_papers")


def test_embed_papers_of_none_is_refused():
    with pytest.raises(CommandError, match="--most is a number of papers"):
        run("embed_papers", "--most", "0")


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("huggingface", "[]"),
        ("arxiv", '<feed xmlns="http://www.w3.org/2005/Atom"><title>ArXiv Query</title></feed>'),
        ("arxiv-rss", '<rss version="2.0"><channel><title>econ updates</title></channel></rss>'),
    ],
)
def test_an_answer_without_a_paper_is_said_and_fails(tmp_path, source, answer):
    path = tmp_path / "saved"
    path.write_text(answer)

    with pytest.raises(CommandError, match="There are no papers in the answer of"):
        run("fetch_papers", "--source", source, "--from-file", str(path))


def test_a_source_that_is_asked_for_nothing_has_not_failed():
    assert run("fetch_papers", "--source", "github") == (
        "github: 0 papers (0 new, 0 updated), 0 readings\n"
    )


def test_a_fetch_by_hand_shows_in_the_sources_status(settings, live):
    settings.SOURCES = ["huggingface"]
    live[TODAY.isoformat()] = ["2605.00001"]
    run("fetch_papers")

    assert run("source_status") == "huggingface: answered 0 minutes ago with 1 papers\n"


def test_a_failure_by_hand_shows_too(settings):
    settings.SOURCES = ["huggingface"]
    with pytest.raises(CommandError):
        run("fetch_papers")

    assert "failed 1 times since: Hugging Face could not be reached" in run("source_status")
