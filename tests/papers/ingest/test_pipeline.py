"""The import of papers and readings from a source, a file or the sample."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from papers.ingest import pipeline, registry
from papers.models import Paper, Reading
from papers.sources import (
    FetchRequest,
    InvalidResponseError,
    SourceResponse,
    SourceUnavailableError,
)
from tests.factories import NOW, TODAY
from tests.papers import recordings
from tests.papers.record_factories import record

pytestmark = pytest.mark.django_db


class ScriptedSource:
    """A source that yields the given responses and raises the given errors."""

    name = "scripted"
    title = "Scripted source"

    def __init__(self, *responses: SourceResponse | Exception) -> None:
        self.responses = responses
        self.request = FetchRequest()

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        self.request = request
        for response in self.responses:
            if isinstance(response, Exception):
                raise response
            yield response

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        raise NotImplementedError


def response_body(*days: date) -> bytes:
    items = [
        {
            "paper": {
                "id": f"2605.{number:05}",
                "title": "A robot",
                "upvotes": number,
                "submittedOnDailyAt": f"{day}T01:00:00.000Z",
            },
            "numComments": 1,
        }
        for number, day in enumerate(days, start=1)
    ]
    return json.dumps(items).encode()


def import_file(path: Path, body: bytes, *, now: datetime = NOW) -> pipeline.IngestResult:
    path.write_bytes(body)
    return pipeline.ingest_file(registry.get_source("huggingface"), path, now=now)


def reading_times() -> set[datetime]:
    return set(Reading.objects.values_list("observed_at", flat=True))


def test_a_poll_requests_today_and_the_days_before():
    source = ScriptedSource()

    list(
        pipeline.fetch_and_store(
            source, pipeline.build_fetch_request("scripted", days=3, now=NOW), now=NOW
        )
    )

    assert source.request.days == (TODAY, TODAY - timedelta(days=1), TODAY - timedelta(days=2))


def test_a_poll_stores_papers_and_the_readings_of_the_hour():
    incoming = record(upvotes=7, comments=1)

    [result] = pipeline.fetch_and_store(
        ScriptedSource(SourceResponse(records=(incoming,), rejected=("no id",))),
        FetchRequest(),
        now=NOW + timedelta(minutes=42),
    )

    assert str(result) == "scripted: 1 papers (1 new, 0 updated), 2 readings, 1 rejected (no id)"
    assert reading_times() == {NOW}


def test_responses_before_a_failure_are_kept():
    first = SourceResponse(records=(record(), record()))
    parts = pipeline.fetch_and_store(
        ScriptedSource(first, SourceUnavailableError("Gone.")), FetchRequest(), now=NOW
    )

    assert next(parts).paper_count == 2
    with pytest.raises(SourceUnavailableError):
        next(parts)
    assert Paper.objects.count() == 2


def test_the_summary_counts_each_reason_of_rejection():
    result = pipeline.IngestResult("x")
    result.upserts.rejected += ["no id", "no title", "no id"]

    assert str(result) == (
        "x: 0 papers (0 new, 0 updated), 0 readings, 3 rejected (2 no id, 1 no title)"
    )


def test_a_saved_response_of_a_past_day_counts_from_that_days_end(tmp_path):
    day = TODAY - timedelta(days=30)

    result = import_file(tmp_path / "x.json", response_body(day, day))

    assert (result.paper_count, result.reading_count) == (2, 4)
    assert reading_times() == {datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)}


def test_a_saved_response_of_today_counts_from_now(tmp_path):
    import_file(tmp_path / "x.json", response_body(TODAY), now=NOW + timedelta(minutes=5))

    assert reading_times() == {NOW}


def test_importing_a_saved_response_twice_changes_nothing(tmp_path):
    body = response_body(TODAY - timedelta(days=3))
    import_file(tmp_path / "x.json", body)

    repeat = import_file(tmp_path / "x.json", body, now=NOW + timedelta(days=2))

    assert str(repeat) == "huggingface: 1 papers (0 new, 0 updated), 0 readings"


def test_the_file_name_gives_the_day_if_the_response_does_not(tmp_path):
    body = json.dumps([{"paper": {"id": "2605.00001", "title": "A robot", "upvotes": 1}}]).encode()

    import_file(tmp_path / "daily_papers-2026-05-07.json", body)

    assert Paper.objects.get().listed_on == date(2026, 5, 7)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2026-05-12.json", date(2026, 5, 12)),
        ("hf_2024-06-03_late.json", date(2024, 6, 3)),
        ("2026-13-45.json", None),
        ("12026-05-12.json", None),
        ("papers.json", None),
    ],
)
def test_a_date_is_read_from_a_file_name(name, day):
    assert pipeline.date_from_filename(name) == day


@pytest.mark.parametrize(
    ("body", "sentence"),
    [(b"", "The answer is empty."), (response_body(TODAY)[:50], "not JSON, or was cut off")],
)
def test_an_invalid_response_file_stores_nothing(tmp_path, body, sentence):
    with pytest.raises(InvalidResponseError, match=sentence):
        import_file(tmp_path / "x.json", body)

    assert not Paper.objects.exists()


def test_a_missing_file_a_folder_and_a_huge_file_are_refused(tmp_path):
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(60 * 1024 * 1024)
    errors = []
    for path in (tmp_path / "none.json", tmp_path, huge):
        with pytest.raises(pipeline.UnreadableResponseFileError) as error:
            pipeline.read_bytes(path)
        errors.append(str(error.value))

    assert errors == [
        f"There is no file {tmp_path / 'none.json'}.",
        f"{tmp_path} is a folder, not a saved response.",
        f"{huge} is larger than 50 MB, which is more than one saved response.",
    ]


def test_a_paper_in_two_responses_keeps_the_values_of_both():
    first = record(machine_summary="Good.")
    second = replace(first, machine_summary="", code_url="https://github.com/a/b")

    pipeline.store_records("x", [first], observed_at=NOW)
    pipeline.store_records("x", [second], observed_at=NOW + timedelta(hours=1))

    paper = Paper.objects.get()
    assert (paper.machine_summary, paper.code_url) == ("Good.", "https://github.com/a/b")
    assert Reading.objects.count() == 2


@recordings.needs_recordings
def test_a_recorded_day_is_imported_completely_and_once(subtests):
    source = registry.get_source("huggingface")
    now = datetime(2026, 8, 1, 6, tzinfo=UTC)

    for path in recordings.daily_papers_paths()[::6]:
        Paper.objects.all().delete()
        item_count = len(json.loads(path.read_bytes()))
        with subtests.test(path.stem):
            result = pipeline.ingest_file(source, path, now=now)

            assert result.upserts.created == Paper.objects.count() == item_count
            assert result.upserts.rejected == []
            repeat = pipeline.ingest_file(source, path, now=now + timedelta(days=1))
            assert str(repeat) == (
                f"huggingface: {item_count} papers (0 new, 0 updated), 0 readings"
            )
