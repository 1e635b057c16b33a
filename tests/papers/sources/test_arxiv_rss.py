"""arXiv's feeds: both formats, all kinds of announcement, empty days and errors."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from papers.sources import FetchRequest, InvalidResponseError, SourceUnavailableError
from papers.sources.arxiv_rss import ArxivRss
from papers.sources.http import SourceClient
from tests.papers import recordings

ANSWERS = Path(__file__).parent / "answers"


@pytest.fixture
def source(httpserver: HTTPServer) -> ArxivRss:
    return ArxivRss(
        SourceClient(httpserver.url_for(""), title="arXiv feeds", user_agent="t", timeout_seconds=5)
    )


def saved(name: str) -> bytes:
    return (ANSWERS / name).read_bytes()


def told(record: object) -> dict[str, object]:
    return {name: value for name, value in asdict(record).items() if value}  # type: ignore[call-overload]


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
    new, *_ = source.parse(saved("arxiv-rss.xml")).records

    assert told(new) == NEW_COMETS
    assert (new.withdrawn, new.listed_on) == (None, None)


def test_atom_holds_the_same_as_rss(source):
    [record] = source.parse(saved("arxiv-atom.xml")).records

    assert told(record) == NEW_COMETS


def test_a_crossed_paper_leaves_its_day_open(source):
    _, crossed, *_ = source.parse(saved("arxiv-rss.xml")).records

    assert (crossed.title, crossed.published_on) == ("Crossed Comets", None)
    assert (crossed.categories, crossed.doi) == (("quant-ph", "stat.ML"), "10.1234/crossed")


def test_a_revision_only_adds_to_a_paper_that_is_known(source):
    *_, revised, withdrawn = source.parse(saved("arxiv-rss.xml")).records

    assert (revised.arxiv_id, revised.title, revised.published_on) == ("math/0309136", "", None)
    assert (revised.abstract, revised.withdrawn) == ("We revise them.", None)
    assert (withdrawn.arxiv_id, withdrawn.title, withdrawn.withdrawn) == ("2611.00204", "", True)


def test_items_that_are_no_papers_are_named(source):
    assert source.parse(saved("arxiv-rss.xml")).rejected == (
        "told twice",
        "no title",
        "no announce type",
        "not an arXiv id",
    )


def test_a_day_without_announcements_is_empty_and_no_error(source):
    answer = source.parse(saved("arxiv-rss-empty.xml"))

    assert (answer.records, answer.rejected) == ((), ())


def test_the_kind_stands_in_the_description_as_well(source):
    body = saved("arxiv-rss.xml").replace(
        b"<arxiv:announce_type>replace<", b"<arxiv:other>replace<"
    )
    body = body.replace(b">replace</arxiv:announce_type>", b">replace</arxiv:other>")

    assert source.parse(body).records[2].title == ""


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            saved("arxiv-rss-error.xml"),
            "arXiv feeds answered with an error: Bad subject class 'XX'.",
        ),
        (
            b"<feed><title>Feed error for query: x</title><subtitle>Bad  archive\x1b 'x'.</subtitle></feed>",
            "arXiv feeds answered with an error: Bad archive 'x'.",
        ),
        (
            b"<feed><title>Feed error for query: x</title></feed>",
            "arXiv feeds answered with an error: it says no more.",
        ),
    ],
)
def test_an_error_feed_is_one_sentence(source, body, sentence):
    with pytest.raises(SourceUnavailableError) as caught:
        source.parse(body)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<rss/>", "The answer is <rss>, not a feed of arXiv's."),
        (b"<OAI-PMH/>", "The answer is <OAI-PMH>, not a feed of arXiv's."),
        (
            saved("arxiv-search-2007.xml"),
            "None of the 1 items is a paper of arXiv feeds (no announce type).",
        ),
        (saved("arxiv-rss.xml")[:3000], "The answer is not XML, or was cut off at line"),
    ],
)
def test_what_is_no_feed_is_said_to_be_none(source, body, sentence):
    with pytest.raises(InvalidResponseError, match=re.escape(sentence)):
        source.parse(body)


def test_three_categories_share_a_feed(source, httpserver):
    for path in ("/rss/cs.AI+stat.ML+cs.LG", "/rss/hep-th"):
        httpserver.expect_oneshot_request(path).respond_with_data(saved("arxiv-rss.xml"))

    wanted = FetchRequest(categories=("cs.AI", "stat.ML", "cs.LG", "hep-th"))

    assert [len(answer.records) for answer in source.fetch(wanted)] == [4, 4]
    httpserver.check_assertions()


def test_without_categories_nothing_is_asked(source):
    assert list(source.fetch(FetchRequest(days=(date(2026, 11, 20),)))) == []


def test_a_refusal_is_said_in_the_words_of_its_feed(source, httpserver):
    answer = Response(saved("arxiv-rss-error.xml"), status=400)
    httpserver.expect_request("/rss/cs.AI").respond_with_response(answer)

    with pytest.raises(SourceUnavailableError) as caught:
        list(source.fetch(FetchRequest(categories=("cs.AI",))))

    assert str(caught.value) == "arXiv feeds answered with an error: Bad subject class 'XX'."


@recordings.needs_recordings
@pytest.mark.parametrize(
    "path", recordings.xml_response_paths("arxiv_rss"), ids=lambda path: path.name
)
def test_every_recorded_feed_is_read_whole(source, path):
    body = path.read_bytes()
    if ".400." in path.name:
        with pytest.raises(
            SourceUnavailableError, match=r"^arXiv feeds answered with an error: .{20,}\.$"
        ):
            source.parse(body)
        return

    answer = source.parse(body)

    assert len(answer.records) == len(re.findall(rb"<(?:item|entry)>", body))
    assert answer.rejected == ()
    assert sum(not each.title for each in answer.records) == len(
        re.findall(rb"announce_type>replace", body)
    )
    assert all(
        each.authors and each.categories and each.abstract and each.updated_at
        for each in answer.records
    )
    assert not any("Announce Type" in each.abstract for each in answer.records)
