"""From a source, a file or the sample to papers and readings."""

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


class Scripted:
    """A source that answers as it is told, and fails where it is told an error."""

    name = "scripted"
    title = "The Script"

    def __init__(self, *answers: SourceResponse | Exception) -> None:
        self.answers = answers
        self.asked = FetchRequest()

    def fetch(self, request: FetchRequest) -> Iterator[SourceResponse]:
        self.asked = request
        for answer in self.answers:
            if isinstance(answer, Exception):
                raise answer
            yield answer

    def parse(self, body: bytes, *, day: date | None = None) -> SourceResponse:
        raise NotImplementedError


def answer_of(*days: date) -> bytes:
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


def read(path: Path, body: bytes, *, now: datetime = NOW) -> pipeline.IngestResult:
    path.write_bytes(body)
    return pipeline.ingest_file(registry.get_source("huggingface"), path, now=now)


def moments() -> set[datetime]:
    return set(Reading.objects.values_list("observed_at", flat=True))


def test_a_poll_asks_for_today_and_the_days_before():
    source = Scripted()

    list(
        pipeline.fetch_and_store(
            source, pipeline.build_fetch_request("scripted", days=3, now=NOW), now=NOW
        )
    )

    assert source.asked.days == (TODAY, TODAY - timedelta(days=1), TODAY - timedelta(days=2))


def test_a_poll_stores_papers_and_the_readings_of_the_hour():
    told = record(upvotes=7, comments=1)

    [taken] = pipeline.fetch_and_store(
        Scripted(SourceResponse(records=(told,), rejected=("no id",))),
        FetchRequest(),
        now=NOW + timedelta(minutes=42),
    )

    assert str(taken) == "scripted: 1 papers (1 new, 0 updated), 2 readings, 1 rejected (no id)"
    assert moments() == {NOW}


def test_what_came_before_a_failure_is_kept():
    first = SourceResponse(records=(record(), record()))
    parts = pipeline.fetch_and_store(
        Scripted(first, SourceUnavailableError("Gone.")), FetchRequest(), now=NOW
    )

    assert next(parts).paper_count == 2
    with pytest.raises(SourceUnavailableError):
        next(parts)
    assert Paper.objects.count() == 2


def test_a_line_of_result_counts_each_reason():
    taken = pipeline.IngestResult("x")
    taken.upserts.rejected += ["no id", "no title", "no id"]

    assert str(taken) == (
        "x: 0 papers (0 new, 0 updated), 0 readings, 3 rejected (2 no id, 1 no title)"
    )


def test_a_saved_answer_of_a_past_day_was_read_at_the_days_end(tmp_path):
    day = TODAY - timedelta(days=30)

    taken = read(tmp_path / "x.json", answer_of(day, day))

    assert (taken.paper_count, taken.reading_count) == (2, 4)
    assert moments() == {datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)}


def test_a_saved_answer_of_today_was_read_just_now(tmp_path):
    read(tmp_path / "x.json", answer_of(TODAY), now=NOW + timedelta(minutes=5))

    assert moments() == {NOW}


def test_a_saved_answer_read_twice_changes_nothing(tmp_path):
    body = answer_of(TODAY - timedelta(days=3))
    read(tmp_path / "x.json", body)

    again = read(tmp_path / "x.json", body, now=NOW + timedelta(days=2))

    assert str(again) == "huggingface: 1 papers (0 new, 0 updated), 0 readings"


def test_the_files_name_says_the_day_if_the_answer_does_not(tmp_path):
    body = json.dumps([{"paper": {"id": "2605.00001", "title": "A robot", "upvotes": 1}}]).encode()

    read(tmp_path / "daily_papers-2026-05-07.json", body)

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
def test_a_day_in_a_name(name, day):
    assert pipeline.date_from_filename(name) == day


@pytest.mark.parametrize(
    ("body", "sentence"),
    [(b"", "The answer is empty."), (answer_of(TODAY)[:50], "not JSON, or was cut off")],
)
def test_a_file_that_is_no_answer_takes_nothing(tmp_path, body, sentence):
    with pytest.raises(InvalidResponseError, match=sentence):
        read(tmp_path / "x.json", body)

    assert not Paper.objects.exists()


def test_a_file_that_is_not_there_a_folder_and_a_giant_are_said(tmp_path):
    giant = tmp_path / "giant.json"
    with giant.open("wb") as file:
        file.truncate(60 * 1024 * 1024)
    found = []
    for path in (tmp_path / "none.json", tmp_path, giant):
        with pytest.raises(pipeline.UnreadableResponseFileError) as caught:
            pipeline.read_bytes(path)
        found.append(str(caught.value))

    assert found == [
        f"There is no file {tmp_path / 'none.json'}.",
        f"{tmp_path} is a folder, not a saved answer.",
        f"{giant} is larger than 50 MB: that is not one saved answer.",
    ]


def test_a_paper_of_two_answers_keeps_what_either_knew():
    first = record(machine_summary="Good.")
    second = replace(first, machine_summary="", code_url="https://github.com/a/b")

    pipeline.store_records("x", [first], observed_at=NOW)
    pipeline.store_records("x", [second], observed_at=NOW + timedelta(hours=1))

    paper = Paper.objects.get()
    assert (paper.machine_summary, paper.code_url) == ("Good.", "https://github.com/a/b")
    assert Reading.objects.count() == 2


@recordings.needs_recordings
@pytest.mark.parametrize("path", recordings.daily_papers_paths()[::6], ids=lambda path: path.stem)
def test_a_recorded_day_is_taken_in_whole_and_once(path):
    source = registry.get_source("huggingface")
    items = json.loads(path.read_bytes())
    now = datetime(2026, 8, 1, 6, tzinfo=UTC)

    taken = pipeline.ingest_file(source, path, now=now)

    assert taken.upserts.created == Paper.objects.count() == len(items)
    assert taken.upserts.rejected == []
    again = pipeline.ingest_file(source, path, now=now + timedelta(days=1))
    assert str(again) == f"huggingface: {len(items)} papers (0 new, 0 updated), 0 readings"
