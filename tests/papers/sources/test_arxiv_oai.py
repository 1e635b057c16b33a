"""arXiv's OAI-PMH: every format, errors, and a harvest that is broken off and goes on."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from papers.sources import FetchRequest, InvalidResponseError, SourceUnavailableError, arxiv_oai
from papers.sources.arxiv_oai import ArxivOai, oai_set
from papers.sources.http import SourceClient
from tests.papers import recordings

ANSWERS = Path(__file__).parent / "answers"
DAYS = (date(2026, 11, 20), date(2026, 11, 19))


@pytest.fixture
def source(httpserver: HTTPServer) -> ArxivOai:
    url = httpserver.url_for("")
    return ArxivOai(SourceClient(url, title="arXiv OAI-PMH", user_agent="test", timeout_seconds=5))


def saved(name: str) -> bytes:
    return (ANSWERS / name).read_bytes()


def envelope(inside: str, answered: str = "2026-11-23T11:12:43Z") -> str:
    return (
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<responseDate>{answered}</responseDate>{inside}</OAI-PMH>"
    )


def page(*stamps: str, token: str = "", first: int = 1) -> str:
    """A page of deleted records, which are the shortest."""
    records = "".join(
        f'<record><header status="deleted"><identifier>oai:arXiv.org:2611.{number:05}</identifier>'
        f"<datestamp>{stamp}</datestamp></header></record>"
        for number, stamp in enumerate(stamps, first)
    )
    return envelope(
        f"<ListRecords>{records}<resumptionToken>{token}</resumptionToken></ListRecords>"
    )


def error(code: str, words: str = "Something is wrong.") -> str:
    return envelope(f'<error code="{code}">{words}</error>')


def test_arxiv_raw_tells_the_day_of_every_version(source):
    harvested, regretted, deleted = source.parse(saved("arxiv-oai-raw.xml")).records

    assert harvested.arxiv_id == "2610.00301"
    assert harvested.title == "Comets, Harvested"
    assert harvested.abstract == "We harvest comets."
    assert harvested.authors == ("Caroline Herschel", "G. David Forney Jr.", "Emmy Noether")
    assert harvested.categories == ("cs.LG", "cs.IT", "stat.ML")
    assert harvested.doi == "10.1234/harvest"
    assert harvested.published_on == date(2026, 10, 30)
    assert harvested.updated_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert harvested.code_url == "https://github.com/example/harvest"
    assert (harvested.withdrawn, harvested.listed_on) == (False, None)
    assert (regretted.withdrawn, regretted.title) == (True, "Comets, Regretted")
    assert (deleted.arxiv_id, deleted.withdrawn, deleted.title) == ("2610.00303", True, "")
    assert deleted.updated_at == datetime(2026, 11, 22, tzinfo=UTC)


def test_a_record_that_is_only_a_header_is_named(source):
    assert source.parse(saved("arxiv-oai-raw.xml")).rejected == ("a header without metadata",)
    identifiers = source.parse(saved("arxiv-oai-identifiers.xml"))
    assert (identifiers.records, identifiers.rejected) == ((), ("a header without metadata",) * 2)


def test_the_day_that_the_format_arxiv_tells_is_believed_when_it_can_be_the_first(source):
    ring, revised = source.parse(saved("arxiv-oai-arxiv.xml")).records

    assert ring.authors == ("Ring Collaboration", "G. David Forney Jr.", "Plato")
    assert ring.categories == ("hep-ex", "nlin.CD")
    assert ring.published_on == date(2014, 1, 9)
    assert ring.updated_at == datetime(2018, 1, 25, tzinfo=UTC)
    assert (revised.title, revised.published_on) == ("A Ring Revised in April", None)


def test_dublin_core_is_read_as_far_as_it_goes(source):
    [record] = source.parse(saved("arxiv-oai-dc.xml")).records

    assert record.arxiv_id == "cond-mat/0607321"
    assert record.authors == ("Emmy Noether", "G. David Forney Jr.", "Ada Lovelace", "Plato")
    assert record.categories == ("cond-mat.supr-con", "quant-ph")
    assert (record.abstract, record.doi) == ("We cool comets.", "10.1234/cold")
    assert record.published_on == date(2006, 7, 12)
    assert record.updated_at == datetime(2012, 1, 17, tzinfo=UTC)
    assert record.withdrawn is True


def test_a_single_record_of_the_old_format_is_read(source):
    [record] = source.parse(saved("arxiv-oai-old.xml")).records

    assert (record.arxiv_id, record.authors) == ("1102.0331", ("Emmy Noether", "Ada Lovelace"))
    assert (record.published_on, record.categories) == (None, ("cond-mat.supr-con",))


def test_nothing_new_is_an_empty_answer(source):
    answer = source.parse(error("noRecordsMatch").encode())

    assert (answer.records, answer.rejected) == ((), ())


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (error("badVerb"), "arXiv OAI-PMH answered with an error: badVerb: Something is wrong."),
        (
            error("badArgument", ""),
            "arXiv OAI-PMH answered with an error: badArgument:.",
        ),
    ],
)
def test_an_error_is_said_in_its_own_words(source, body, sentence):
    with pytest.raises(SourceUnavailableError) as caught:
        source.parse(body.encode())

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (envelope("<Identify/>").encode(), "The answer holds no list of papers."),
        (b"<feed/>", "The answer is <feed>, not one of OAI-PMH."),
        (saved("arxiv-oai-raw.xml")[:2000], "The answer is not XML, or was cut off at line"),
        (
            envelope("<ListRecords><record/></ListRecords>").encode(),
            "None of the 1 items is a paper of arXiv OAI-PMH (no header).",
        ),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(source, body, sentence):
    with pytest.raises(InvalidResponseError, match=re.escape(sentence)):
        source.parse(body)


@pytest.mark.parametrize(
    ("category", "set_"),
    [
        ("cs.LG", "cs:cs:LG"),
        ("hep-th", "physics:hep-th"),
        ("cond-mat.soft", "physics:cond-mat:soft"),
        ("physics.optics", "physics:physics:optics"),
        ("q-bio.NC", "q-bio:q-bio:NC"),
    ],
)
def test_a_category_is_a_set(category, set_):
    assert oai_set(category) == set_


def serve(server: HTTPServer, *answers: str | Response) -> list[dict[str, str]]:
    """Answer one question after another; returns what was asked."""
    asked: list[dict[str, str]] = []
    waiting = list(answers)

    def answer(request: Request) -> Response:
        assert request.args["verb"] == "ListRecords"
        asked.append({name: value for name, value in request.args.items() if name != "verb"})
        found = waiting.pop(0)
        return found if isinstance(found, Response) else Response(found)

    server.expect_request("/oai").respond_with_handler(answer)
    return asked


def ask(since: str, set_: str = "cs:cs:LG") -> dict[str, str]:
    return {"metadataPrefix": "arXivRaw", "from": since, "set": set_}


def wanted(*categories: str, cursor: str = "", **others: Any) -> FetchRequest:
    return FetchRequest(days=DAYS, categories=categories or ("cs.LG",), cursor=cursor, **others)


TOKEN = "verb%3DListRecords%26skip%3D2"


def test_a_harvest_turns_the_pages_of_every_set(source, httpserver):
    asked = serve(
        httpserver,
        page("2026-11-19", "2026-11-20", token=TOKEN),
        page("2026-11-21", first=3),
        error("noRecordsMatch"),
    )

    answers = list(source.fetch(wanted("cs.LG", "hep-th")))

    assert [len(answer.records) for answer in answers] == [2, 1, 0]
    assert asked == [
        ask("2026-11-19"),
        {"resumptionToken": TOKEN},
        ask("2026-11-19", "physics:hep-th"),
    ]
    assert answers[-1].cursor == "since=2026-11-23"


def test_the_next_harvest_begins_with_the_day_of_the_first_answer(source, httpserver):
    asked = serve(httpserver, page("2026-11-23"))

    [answer] = source.fetch(wanted(cursor="since=2026-11-22"))

    assert (asked, answer.cursor) == ([ask("2026-11-22")], "since=2026-11-23")


def test_a_harvest_that_broke_off_goes_on_with_its_token(source, httpserver):
    serve(httpserver, page("2026-11-19", token=TOKEN), Response("", status=404))
    answers = source.fetch(wanted("hep-th", "cs.LG"))
    cursor = next(answers).cursor
    with pytest.raises(SourceUnavailableError, match="404"):
        next(answers)
    httpserver.clear()

    asked = serve(httpserver, page("2026-11-20", first=2), page("2026-11-20", first=3))
    *_, last = source.fetch(wanted("hep-th", "cs.LG", cursor=cursor))

    assert asked == [{"resumptionToken": TOKEN}, ask("2026-11-19", "cs:cs:LG")]
    assert last.cursor == "since=2026-11-23"


def test_a_dead_token_goes_on_from_the_day_that_was_reached(source, httpserver):
    serve(httpserver, page("2026-11-19", "2026-11-21", token=TOKEN))
    cursor = next(source.fetch(wanted())).cursor
    httpserver.clear()

    asked = serve(httpserver, error("badResumptionToken"), page("2026-11-22", first=3))
    [answer] = source.fetch(wanted(cursor=cursor))

    assert asked == [{"resumptionToken": TOKEN}, ask("2026-11-21")]
    assert (len(answer.records), answer.cursor) == (1, "since=2026-11-23")


def test_a_dead_token_of_a_page_out_of_order_goes_on_from_the_first_day(source, httpserver):
    asked = serve(
        httpserver,
        page("2026-11-21", "2026-11-19", token=TOKEN),
        error("badResumptionToken"),
        page("2026-11-22", first=3),
    )

    list(source.fetch(wanted()))

    assert asked[-1] == ask("2026-11-19")


def test_any_other_error_ends_the_harvest(source, httpserver):
    serve(httpserver, page("2026-11-19", token=TOKEN), error("badArgument"))

    answers = source.fetch(wanted())

    assert len(next(answers).records) == 1
    with pytest.raises(SourceUnavailableError, match="badArgument: Something is wrong"):
        next(answers)


def test_a_server_that_gives_one_page_for_ever_is_left(source, httpserver):
    serve(httpserver, *[page("2026-11-19", token=TOKEN)] * 2)

    answers = source.fetch(wanted())

    next(answers)
    with pytest.raises(InvalidResponseError, match="the same page again and again"):
        next(answers)


def test_a_long_harvest_is_done_in_parts(source, httpserver):
    pages = [page("2026-11-19", token=f"t{number}", first=number) for number in range(1, 30)]
    asked = serve(httpserver, *pages)

    *_, last = source.fetch(wanted())

    assert len(asked) == arxiv_oai.MAX_PAGES
    assert last.cursor == (
        "since=2026-11-19&until=2026-11-23&set=cs%3Acs%3ALG&reached=2026-11-19&token=t20"
    )


@pytest.mark.parametrize("cursor", ["token=x", "since=yesterday", "?", "since=2026-99-99&set=x"])
def test_a_cursor_that_cannot_be_read_is_no_cursor(source, httpserver, cursor):
    asked = serve(httpserver, page("2026-11-20"))

    list(source.fetch(wanted(cursor=cursor)))

    assert asked == [ask("2026-11-19")]


def test_a_set_that_is_no_longer_wanted_begins_the_harvest_anew(source, httpserver):
    asked = serve(httpserver, page("2026-11-20"))

    list(source.fetch(wanted(cursor="since=2026-11-18&set=math%3Amath%3AAG&token=x")))

    assert asked == [ask("2026-11-18")]


@pytest.mark.parametrize("nothing", [FetchRequest(days=DAYS), FetchRequest(categories=("cs.LG",))])
def test_without_categories_or_a_day_nothing_is_asked(source, nothing):
    assert list(source.fetch(nothing)) == []


def test_a_busy_server_is_asked_again_when_it_says(source, httpserver):
    busy = Response("", status=503, headers={"Retry-After": "0"})
    asked = serve(httpserver, busy, page("2026-11-20"))

    [answer] = source.fetch(wanted())

    assert (len(asked), len(answer.records)) == (2, 1)


SENTENCES = {
    "error_badResumptionToken.xml": "badResumptionToken: The value of the resumptionToken",
    "error_badVerb.xml": "badVerb: Value of the verb argument",
    "error_cannotDisseminateFormat.xml": "cannotDisseminateFormat: The metadata format",
    "error_idDoesNotExist.xml": "idDoesNotExist: The value of the identifier",
    "identify.xml": "The answer holds no list of papers.",
    "listmetadataformats.xml": "The answer holds no list of papers.",
    "listsets.xml": "The answer holds no list of papers.",
}
# Of the first versions that the format arXiv tells; the others are those of revisions.
WITHDRAWN = {"listrecords_arXivRaw_2011-02.p1.xml": 2, "listrecords_arXivRaw_2011-02.p2.xml": 3}


@recordings.needs_recordings
@pytest.mark.parametrize(
    "path", recordings.xml_response_paths("arxiv_oai"), ids=lambda path: path.name
)
def test_every_recorded_answer_is_read_whole(source, path):
    body = path.read_bytes()
    if sentence := SENTENCES.get(path.name):
        with pytest.raises((SourceUnavailableError, InvalidResponseError), match=sentence):
            source.parse(body)
        return

    answer = source.parse(body)

    headers = len(re.findall(rb"<header[ >]", body))
    assert len(answer.records) + len(answer.rejected) == headers
    bare = "listidentifiers" in path.name
    assert answer.rejected == ("a header without metadata",) * (headers if bare else 0)
    assert all(
        each.title and each.authors and each.categories and each.abstract and each.updated_at
        for each in answer.records
    )
    assert sum(each.withdrawn is True for each in answer.records) == WITHDRAWN.get(path.name, 0)
    if b"<arXivRaw" in body or b"<oai_dc:dc" in body:
        assert all(each.published_on for each in answer.records)
