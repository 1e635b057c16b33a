"""Store every recorded response of arXiv: nothing is lost, and a repeat changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from papers.catalogue import upsert
from papers.models import Paper
from papers.sources import InvalidResponseError, Source, SourceResponse, SourceUnavailableError
from papers.sources.arxiv import Arxiv
from papers.sources.arxiv_oai import ArxivOai
from papers.sources.arxiv_rss import ArxivRss
from papers.sources.http import SourceClient
from tests.papers import recordings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CLIENT = SourceClient("http://127.0.0.1:9", title="arXiv", user_agent="test")


def recorded_responses(source: Source, folder: str) -> list[SourceResponse]:
    """Return the recorded responses except those that only report an error."""
    responses = []
    for path in recordings.xml_response_paths(folder):
        try:
            responses.append(source.parse(path.read_bytes()))
        except (SourceUnavailableError, InvalidResponseError):
            continue
    return responses


@recordings.needs_recordings
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("source", "folder"),
    [
        (Arxiv(CLIENT), "arxiv_api"),
        (ArxivRss(CLIENT), "arxiv_rss"),
        (ArxivOai(CLIENT), "arxiv_oai"),
    ],
    ids=["api", "rss", "oai"],
)
def test_every_record_is_stored_or_rejected_and_a_repeat_changes_nothing(source, folder):
    responses = recorded_responses(source, folder)
    records = [record for response in responses for record in response.records]
    titled = [record for record in records if record.title]
    papers = {record.arxiv_id for record in titled}
    # Revisions and deletions. Some are of papers that were not recorded.
    additions = [record for record in records if not record.title]
    unknown = [record for record in additions if record.arxiv_id not in papers]

    first = upsert.upsert_records(titled, source=source.name, observed_at=NOW)
    upsert.upsert_records(additions, source=source.name, observed_at=NOW)
    second = upsert.upsert_records(titled, source=source.name, observed_at=NOW)
    third = upsert.upsert_records(additions, source=source.name, observed_at=NOW)

    assert set(Paper.objects.values_list("arxiv_id", flat=True)) == papers
    assert (first.created, first.rejected) == (len(papers), [])
    assert (second.created, second.updated, second.rejected) == (0, 0, [])
    assert (third.created, third.updated) == (0, 0)
    assert third.rejected == ["unknown paper"] * len(unknown)
