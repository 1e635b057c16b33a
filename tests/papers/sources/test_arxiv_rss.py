"""arXiv's daily feeds: both formats, all types of announcement, empty days and errors."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from papers.sources import (
    FetchRequest,
    InvalidResponseError,
    Record,
    SourceUnavailableError,
)
from papers.sources.arxiv_rss import ArxivRss
from papers.sources.http import SourceClient
from tests.papers import recordings

RESPONSES_DIR = Path(__file__).parent / "answers"


@pytest.fixture
def source(httpserver: HTTPServer) -> ArxivRss:
    return ArxivRss(
        SourceClient(httpserver.url_for(""), title="arXiv feeds", user_agent="t", timeout_seconds=5)
    )


def saved_response(name: str) -> bytes:
    return (RESPONSES_DIR / name).read_bytes()


def filled_fields(record: Record) -> dict[str, object]:
    return {name: value for name, value in asdict(record).items() if value}


NEW_COMETS = {
    "arxiv_id": "2611.00201",
    "title": "New Comets",
    "abstract": "We find comets. The code is at github.com/example/new-comets, and free.",
    "authors": ("Caroline Herschel", "G. David Forney Jr.", "Ada Lovelace"),
    "categories": ("cs.AI", "eess.SY"),
    "published_on": date(2026, 11, 20),
    "updated_at": datetime(2026, 11, 20, 5, tzinfo=UTC),
    "code_url": "https://github.com/example/new-comets",
}


def test_a_new_paper_is_published_on_the_day_of_its_announcement(source):
    new, *_ = source.parse(saved_response("arxiv-rss.xml")).records

    assert filled_fields(new) == NEW_COMETS
    assert (new.withdrawn, new.listed_on) == (None, None)


def test_atom_has_the_same_content_as_rss(source):
    [record] = source.parse(saved_response("arxiv-atom.xml")).records

    assert filled_fields(record) == NEW_COMETS


def test_the_day_of_a_cross_listed_paper_stays_unknown(source):
    _, cross_listed, *_ = source.parse(saved_response("arxiv-rss.xml")).records

    assert (cross_listed.title, cross_listed.published_on) == ("Crossed Comets", None)
    assert (cross_listed.categories, cross_listed.doi) == (
        ("quant-ph", "stat.ML"),
        "10.1234/crossed",
    )


def test_a_revision_has_no_title_so_that_it_only_updates_a_stored_paper(source):
    *_, revised, withdrawn = source.parse(saved_response("arxiv-rss.xml")).records

    assert (revised.arxiv_id, revised.title, revised.published_on) == ("math/0309136", "", None)
    assert (revised.abstract, revised.withdrawn) == ("We revise them.", None)
    assert (withdrawn.arxiv_id, withdrawn.title, withdrawn.withdrawn) == ("2611.00204", "", True)


def test_bad_items_are_rejected_with_a_reason(source):
    assert source.parse(saved_response("arxiv-rss.xml")).rejected == (
        "duplicate",
        "no title",
        "no announce type",
        "not an arXiv id",
    )


def test_a_day_without_announcements_is_empty(source):
    response = source.parse(saved_response("arxiv-rss-empty.xml"))

    assert (response.records, response.rejected) == ((), ())


def test_the_type_of_announcement_is_also_read_from_the_description(source):
    body = saved_response("arxiv-rss.xml").replace(
        b"<arxiv:announce_type>replace<", b"<arxiv:other>replace<"
    )
    body = body.replace(b">replace</arxiv:announce_type>", b">replace</arxiv:other>")

    assert source.parse(body).records[2].title == ""


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            saved_response("arxiv-rss-error.xml"),
            "arXiv feeds answered with an error: Bad subject class 'XX'.",
        ),
        (
            b"<feed><title>Feed error for query: x</title><subtitle>Bad  archive\x1b 'x'.</subtitle></feed>",
            "arXiv feeds answered with an error: Bad archive 'x'.",
        ),
        (
            b"<feed><title>Feed error for query: x</title></feed>",
            "arXiv feeds answered with an error: no details given.",
        ),
    ],
)
def test_an_error_feed_is_reported_in_one_sentence(source, body, sentence):
    with pytest.raises(SourceUnavailableError) as caught:
        source.parse(body)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<rss/>", "The answer is <rss>, not a feed of arXiv's."),
        (b"<OAI-PMH/>", "The answer is <OAI-PMH>, not a feed of arXiv's."),
        (
            saved_response("arxiv-search-2007.xml"),
            "None of the 1 items is a paper of arXiv feeds (no announce type).",
        ),
        (saved_response("arxiv-rss.xml")[:3000], "The answer is not XML, or was cut off at line"),
    ],
)
def test_an_invalid_feed_is_reported_in_a_sentence(source, body, sentence):
    with pytest.raises(InvalidResponseError, match=re.escape(sentence)):
        source.parse(body)


def test_three_categories_share_a_feed(source, httpserver):
    for path in ("/rss/cs.AI+stat.ML+cs.LG", "/rss/hep-th"):
        httpserver.expect_oneshot_request(path).respond_with_data(saved_response("arxiv-rss.xml"))

    request = FetchRequest(categories=("cs.AI", "stat.ML", "cs.LG", "hep-th"))

    assert [len(response.records) for response in source.fetch(request)] == [4, 4]
    httpserver.check_assertions()


def test_without_categories_there_is_no_call(source):
    assert list(source.fetch(FetchRequest(days=(date(2026, 11, 20),)))) == []


def test_an_error_status_is_reported_with_the_message_of_its_feed(source, httpserver):
    response = Response(saved_response("arxiv-rss-error.xml"), status=400)
    httpserver.expect_request("/rss/cs.AI").respond_with_response(response)

    with pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(categories=("cs.AI",))))

    assert str(caught.value) == "arXiv feeds answered with an error: Bad subject class 'XX'."


@recordings.needs_recordings
def test_every_recorded_feed_is_parsed_completely(source, subtests):
    for path in recordings.xml_response_paths("arxiv_rss"):
        with subtests.test(path.name):
            check_recorded_feed(source, path)


def check_recorded_feed(source: ArxivRss, path: Path) -> None:
    body = path.read_bytes()
    if ".400." in path.name:
        with pytest.raises(
            SourceUnavailableError, match=r"^arXiv feeds answered with an error: .{20,}\.$"
        ):
            source.parse(body)
        return

    response = source.parse(body)

    assert len(response.records) == len(re.findall(rb"<(?:item|entry)>", body))
    assert response.rejected == ()
    revisions = [record for record in response.records if not record.title]
    assert len(revisions) == len(re.findall(rb"announce_type>replace", body))
    for record in response.records:
        assert all((record.authors, record.categories, record.abstract, record.updated_at))
        assert "Announce Type" not in record.abstract
