"""arXiv's OAI-PMH service: every format, errors, and harvests that are resumed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from papers.sources import FetchRequest, InvalidResponseError, SourceUnavailableError, arxiv_oai
from papers.sources.arxiv_oai import ArxivOai, oai_set
from papers.sources.http import SourceClient
from tests.papers import recordings

RESPONSES_DIR = Path(__file__).parent / "answers"
DAYS = (date(2026, 11, 20), date(2026, 11, 19))


@pytest.fixture
def source(httpserver: HTTPServer) -> ArxivOai:
    url = httpserver.url_for("")
    return ArxivOai(SourceClient(url, title="arXiv OAI-PMH", user_agent="test", timeout_seconds=5))


def saved_response(name: str) -> bytes:
    return (RESPONSES_DIR / name).read_bytes()


def envelope(content: str) -> str:
    return (
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<responseDate>2026-11-23T11:12:43Z</responseDate>{content}</OAI-PMH>"
    )


def page(*stamps: str, token: str = "", first: int = 1) -> str:
    """Return a page of deleted records, which are the shortest."""
    records = "".join(
        f'<record><header status="deleted"><identifier>oai:arXiv.org:2611.{number:05}</identifier>'
        f"<datestamp>{stamp}</datestamp></header></record>"
        for number, stamp in enumerate(stamps, first)
    )
    return envelope(
        f"<ListRecords>{records}<resumptionToken>{token}</resumptionToken></ListRecords>"
    )


def error(code: str, message: str = "Something is wrong.") -> str:
    return envelope(f'<error code="{code}">{message}</error>')


def test_arxiv_raw_has_the_date_of_every_version(source):
    harvested, withdrawn, deleted = source.parse(saved_response("arxiv-oai-raw.xml")).records

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
    assert (withdrawn.withdrawn, withdrawn.title) == (True, "Comets, Regretted")
    assert (deleted.arxiv_id, deleted.withdrawn, deleted.title) == ("2610.00303", True, "")
    assert deleted.updated_at == datetime(2026, 11, 22, tzinfo=UTC)


def test_a_header_without_metadata_is_rejected(source):
    assert source.parse(saved_response("arxiv-oai-raw.xml")).rejected == (
        "a header without metadata",
    )
    identifiers = source.parse(saved_response("arxiv-oai-identifiers.xml"))
    assert (identifiers.records, identifiers.rejected) == ((), ("a header without metadata",) * 2)


def test_the_date_in_the_format_arxiv_is_used_if_it_can_be_that_of_the_first_version(source):
    ring, revised = source.parse(saved_response("arxiv-oai-arxiv.xml")).records

    assert ring.authors == ("Ring Collaboration", "G. David Forney Jr.", "Plato")
    assert ring.categories == ("hep-ex", "nlin.CD")
    assert ring.published_on == date(2014, 1, 9)
    assert ring.updated_at == datetime(2018, 1, 25, tzinfo=UTC)
    assert (revised.title, revised.published_on) == ("A Ring Revised in April", None)


def test_dublin_core_is_parsed_as_far_as_it_goes(source):
    [record] = source.parse(saved_response("arxiv-oai-dc.xml")).records

    assert record.arxiv_id == "cond-mat/0607321"
    assert record.authors == ("Emmy Noether", "G. David Forney Jr.", "Ada Lovelace", "Plato")
    assert record.categories == ("cond-mat.supr-con", "quant-ph")
    assert (record.abstract, record.doi) == ("We cool comets.", "10.1234/cold")
    assert record.published_on == date(2006, 7, 12)
    assert record.updated_at == datetime(2012, 1, 17, tzinfo=UTC)
    assert record.withdrawn is True


def test_a_single_record_of_the_old_format_is_parsed(source):
    [record] = source.parse(saved_response("arxiv-oai-old.xml")).records

    assert (record.arxiv_id, record.authors) == ("1102.0331", ("Emmy Noether", "Ada Lovelace"))
    assert (record.published_on, record.categories) == (None, ("cond-mat.supr-con",))


def test_no_change_is_an_empty_response(source):
    response = source.parse(error("noRecordsMatch").encode())

    assert (response.records, response.rejected) == ((), ())


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
def test_an_error_is_reported_with_its_message(source, body, sentence):
    with pytest.raises(SourceUnavailableError) as caught:
        source.parse(body.encode())

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (envelope("<Identify/>").encode(), "The answer has no list of papers."),
        (b"<feed/>", "The answer is <feed>, not one of OAI-PMH."),
        (
            saved_response("arxiv-oai-raw.xml")[:2000],
            "The answer is not XML, or was cut off at line",
        ),
        (
            envelope("<ListRecords><record/></ListRecords>").encode(),
            "None of the 1 items is a paper of arXiv OAI-PMH (no header).",
        ),
    ],
)
def test_an_invalid_response_is_reported_in_a_sentence(source, body, sentence):
    with pytest.raises(InvalidResponseError, match=re.escape(sentence)):
        source.parse(body)


@pytest.mark.parametrize(
    ("category", "set_spec"),
    [
        ("cs.LG", "cs:cs:LG"),
        ("hep-th", "physics:hep-th"),
        ("cond-mat.soft", "physics:cond-mat:soft"),
        ("physics.optics", "physics:physics:optics"),
        ("q-bio.NC", "q-bio:q-bio:NC"),
    ],
)
def test_a_category_is_a_set(category, set_spec):
    assert oai_set(category) == set_spec


def serve(server: HTTPServer, *responses: str | Response) -> list[dict[str, str]]:
    """Serve the responses one after another. Return the query of each call."""
    calls: list[dict[str, str]] = []
    remaining = list(responses)

    def respond(request: Request) -> Response:
        assert request.args["verb"] == "ListRecords"
        calls.append({name: value for name, value in request.args.items() if name != "verb"})
        response = remaining.pop(0)
        return response if isinstance(response, Response) else Response(response)

    server.expect_request("/oai").respond_with_handler(respond)
    return calls


def query_of_set(since: str, set_spec: str = "cs:cs:LG") -> dict[str, str]:
    return {"metadataPrefix": "arXivRaw", "from": since, "set": set_spec}


def fetch_request(*categories: str, cursor: str = "") -> FetchRequest:
    return FetchRequest(days=DAYS, categories=categories or ("cs.LG",), cursor=cursor)


TOKEN = "verb%3DListRecords%26skip%3D2"


def test_a_harvest_fetches_all_pages_of_every_set(source, httpserver):
    calls = serve(
        httpserver,
        page("2026-11-19", "2026-11-20", token=TOKEN),
        page("2026-11-21", first=3),
        error("noRecordsMatch"),
    )

    responses = list(source.fetch(fetch_request("cs.LG", "hep-th")))

    assert [len(response.records) for response in responses] == [2, 1, 0]
    assert calls == [
        query_of_set("2026-11-19"),
        {"resumptionToken": TOKEN},
        query_of_set("2026-11-19", "physics:hep-th"),
    ]
    assert responses[-1].cursor == "since=2026-11-23"


def test_the_next_harvest_starts_from_the_day_of_the_first_response(source, httpserver):
    calls = serve(httpserver, page("2026-11-23"))

    [response] = source.fetch(fetch_request(cursor="since=2026-11-22"))

    assert (calls, response.cursor) == ([query_of_set("2026-11-22")], "since=2026-11-23")


def test_an_interrupted_harvest_is_resumed_with_its_token(source, httpserver):
    serve(httpserver, page("2026-11-19", token=TOKEN), Response("", status=404))
    responses = source.fetch(fetch_request("hep-th", "cs.LG"))
    cursor = next(responses).cursor
    with pytest.raises(SourceUnavailableError, match="404"):
        next(responses)
    httpserver.clear()

    calls = serve(httpserver, page("2026-11-20", first=2), page("2026-11-20", first=3))
    *_, last = source.fetch(fetch_request("hep-th", "cs.LG", cursor=cursor))

    assert calls == [{"resumptionToken": TOKEN}, query_of_set("2026-11-19", "cs:cs:LG")]
    assert last.cursor == "since=2026-11-23"


def test_a_harvest_with_an_expired_token_is_resumed_from_the_day_reached(source, httpserver):
    serve(httpserver, page("2026-11-19", "2026-11-21", token=TOKEN))
    cursor = next(source.fetch(fetch_request())).cursor
    httpserver.clear()

    calls = serve(httpserver, error("badResumptionToken"), page("2026-11-22", first=3))
    [response] = source.fetch(fetch_request(cursor=cursor))

    assert calls == [{"resumptionToken": TOKEN}, query_of_set("2026-11-21")]
    assert (len(response.records), response.cursor) == (1, "since=2026-11-23")


def test_after_a_page_out_of_order_it_is_resumed_from_the_first_day(source, httpserver):
    calls = serve(
        httpserver,
        page("2026-11-21", "2026-11-19", token=TOKEN),
        error("badResumptionToken"),
        page("2026-11-22", first=3),
    )

    list(source.fetch(fetch_request()))

    assert calls[-1] == query_of_set("2026-11-19")


def test_any_other_error_ends_the_harvest(source, httpserver):
    serve(httpserver, page("2026-11-19", token=TOKEN), error("badArgument"))

    responses = source.fetch(fetch_request())

    assert len(next(responses).records) == 1
    with pytest.raises(SourceUnavailableError, match="badArgument: Something is wrong"):
        next(responses)


def test_a_server_that_repeats_a_page_ends_the_harvest(source, httpserver):
    serve(httpserver, *[page("2026-11-19", token=TOKEN)] * 2)

    responses = source.fetch(fetch_request())

    next(responses)
    with pytest.raises(InvalidResponseError, match="returned the same page twice"):
        next(responses)


def test_the_pages_of_one_fetch_are_limited(source, httpserver):
    pages = [page("2026-11-19", token=f"t{number}", first=number) for number in range(1, 30)]
    calls = serve(httpserver, *pages)

    *_, last = source.fetch(fetch_request())

    assert len(calls) == arxiv_oai.MAX_PAGES
    assert last.cursor == (
        "since=2026-11-19&until=2026-11-23&set=cs%3Acs%3ALG&reached=2026-11-19&token=t20"
    )


@pytest.mark.parametrize("cursor", ["token=x", "since=yesterday", "?", "since=2026-99-99&set=x"])
def test_an_invalid_cursor_is_ignored(source, httpserver, cursor):
    calls = serve(httpserver, page("2026-11-20"))

    list(source.fetch(fetch_request(cursor=cursor)))

    assert calls == [query_of_set("2026-11-19")]


def test_a_cursor_in_a_set_that_is_not_requested_restarts_the_harvest(source, httpserver):
    calls = serve(httpserver, page("2026-11-20"))

    list(source.fetch(fetch_request(cursor="since=2026-11-18&set=math%3Amath%3AAG&token=x")))

    assert calls == [query_of_set("2026-11-18")]


@pytest.mark.parametrize(
    "incomplete",
    [FetchRequest(days=DAYS), FetchRequest(categories=("cs.LG",))],
    ids=["no category", "no day"],
)
def test_without_categories_or_a_day_there_is_no_call(source, incomplete):
    assert list(source.fetch(incomplete)) == []


def test_a_busy_server_is_retried_when_it_allows(source, httpserver):
    busy = Response("", status=503, headers={"Retry-After": "0"})
    calls = serve(httpserver, busy, page("2026-11-20"))

    [response] = source.fetch(fetch_request())

    assert (len(calls), len(response.records)) == (2, 1)


RECORDED_ERRORS = {
    "error_badResumptionToken.xml": "badResumptionToken: The value of the resumptionToken",
    "error_badVerb.xml": "badVerb: Value of the verb argument",
    "error_cannotDisseminateFormat.xml": "cannotDisseminateFormat: The metadata format",
    "error_idDoesNotExist.xml": "idDoesNotExist: The value of the identifier",
    "identify.xml": "The answer has no list of papers.",
    "listmetadataformats.xml": "The answer has no list of papers.",
    "listsets.xml": "The answer has no list of papers.",
}
# Withdrawn papers by recorded file; the other files have none.
WITHDRAWN_COUNTS = {
    "listrecords_arXivRaw_2011-02.p1.xml": 2,
    "listrecords_arXivRaw_2011-02.p2.xml": 3,
}


@recordings.needs_recordings
def test_every_recorded_response_is_parsed_completely(source, subtests):
    for path in recordings.xml_response_paths("arxiv_oai"):
        with subtests.test(path.name):
            check_recorded_response(source, path)


def check_recorded_response(source: ArxivOai, path: Path) -> None:
    body = path.read_bytes()
    if message := RECORDED_ERRORS.get(path.name):
        with pytest.raises((SourceUnavailableError, InvalidResponseError), match=message):
            source.parse(body)
        return

    response = source.parse(body)

    headers = len(re.findall(rb"<header[ >]", body))
    assert len(response.records) + len(response.rejected) == headers
    has_metadata = "listidentifiers" not in path.name
    assert response.rejected == ("a header without metadata",) * (0 if has_metadata else headers)
    withdrawn = [record for record in response.records if record.withdrawn]
    assert len(withdrawn) == WITHDRAWN_COUNTS.get(path.name, 0)
    for record in response.records:
        assert all((record.title, record.authors, record.categories))
        assert all((record.abstract, record.updated_at))
        if b"<arXivRaw" in body or b"<oai_dc:dc" in body:
            assert record.published_on
