"""API operations of editions, with their response schemas."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from django.conf import settings
from django.db.models import Count, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field

from newsletter import models
from papers.api import schemas as api_schemas
from papers.api.routes import IsoDate, PageParameters, curl_example, next_link
from papers.api.schemas import Uri, example_config, modification_times, set_last_modified
from papers.models import Topic
from papers.web import cursors

editions_router = Router(tags=["editions"])

EDITION_EXAMPLE = {
    "date": "2026-05-12",
    "published_at": "2026-05-12T04:00:00Z",
    "url": "https://papers.example.org/editions/2026-05-12/",
    "entries_url": "https://papers.example.org/api/v1/editions/2026-05-12",
    "papers": 48,
}
ENTRY_EXAMPLE = {
    "rank": 1,
    "score": 44.6,
    "upvotes": 67,
    "gain": 31,
    "topic_ranks": {"robotics": 1},
    "paper": api_schemas.PAPER_EXAMPLE,
}


EDITION_DATE_JSON_SCHEMA = {"description": "An edition's date in UTC.", "example": "2026-05-12"}
EditionDate = Annotated[IsoDate, Field(json_schema_extra={**EDITION_DATE_JSON_SCHEMA})]


class EditionSchema(Schema):
    """A day's ranking, frozen when it was published."""

    model_config = example_config(EDITION_EXAMPLE)

    date: date
    published_at: datetime
    url: Annotated[Uri, Field(description="The edition's page on this site.")]
    entries_url: Annotated[Uri, Field(description="The edition with its papers in this API.")]
    papers: Annotated[int, Field(description="The number of papers in it.")]

    @staticmethod
    def resolve_url(edition: models.Edition) -> str:
        return settings.SITE_URL + edition.get_absolute_url()

    @staticmethod
    def resolve_entries_url(edition: models.Edition) -> str:
        return f"{settings.API_URL}/editions/{edition.date}"


class EntrySchema(Schema):
    """A paper's rank in an edition, and the figures that it was based on."""

    rank: int
    score: float
    upvotes: int
    gain: Annotated[
        int | None,
        Field(description="Upvotes gained in the previous day; null if unknown."),
    ]
    topic_ranks: Annotated[
        dict[str, int], Field(description="Its topics at the time, with its rank in each.")
    ]
    paper: Annotated[
        api_schemas.PaperSchema, Field(description="The paper with its current figures.")
    ]


class EditionDetailSchema(EditionSchema):
    """A day's ranking with all its papers, best first."""

    model_config = example_config(EDITION_EXAMPLE | {"entries": [ENTRY_EXAMPLE]})

    entries: list[EntrySchema]


class EditionListSchema(Schema):
    items: list[EditionSchema]
    next: api_schemas.NextPageUri

    model_config = example_config({"items": [EDITION_EXAMPLE], "next": None})


@editions_router.get(
    "",
    response=EditionListSchema,
    operation_id="list_editions",
    summary="List editions, newest first",
    openapi_extra=curl_example("/editions?limit=7"),
)
def list_editions(
    request: HttpRequest, response: HttpResponse, parameters: Query[PageParameters]
) -> dict[str, Any]:
    rows = editions_with_counts().order_by("-date")
    query_key = "editions"  # so that a cursor of another list is rejected
    if parameters.cursor:
        position = cursors.decode_cursor(parameters.cursor, query_key=query_key)
        rows = cursors.filter_after(rows, position, "date")
    editions = list(rows[: parameters.limit + 1])  # one more, to see whether the page is the last
    page = editions[: parameters.limit]
    end = cursors.position_of(page[-1], "date") if len(editions) > parameters.limit else None
    set_last_modified(response, [edition.published_at for edition in page])
    return {
        "items": page,
        "next": next_link(request, response, parameters, end, query_key=query_key),
    }


@editions_router.get(
    "/{day}",
    response=EditionDetailSchema,
    operation_id="get_edition",
    summary="Get an edition with its papers and their figures",
    openapi_extra=curl_example("/editions/2026-05-12"),
)
def get_edition(
    request: HttpRequest, response: HttpResponse, day: Path[EditionDate]
) -> models.Edition:
    topics_by_name = Prefetch("paper__topics", Topic.objects.order_by("name"))
    by_rank = models.Entry.objects.select_related("paper").order_by("rank")
    entries = Prefetch("entries", by_rank.prefetch_related(topics_by_name))
    edition = editions_with_counts().prefetch_related(entries).filter(date=day).first()
    if edition is None:
        raise Http404("There is no edition with this date.")
    paper_times = [
        time for entry in edition.entries.all() for time in modification_times(entry.paper)
    ]
    set_last_modified(response, [edition.published_at, *paper_times])
    return edition


def editions_with_counts() -> QuerySet[models.Edition]:
    return models.Edition.objects.annotate(papers=Count("entries"))
