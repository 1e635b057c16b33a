"""API operations of papers and topics."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Path, Query, Router, Schema
from pydantic import BeforeValidator, Field

from papers import models
from papers.api import schemas
from papers.api.schemas import modification_times, set_last_modified
from papers.search import engine, query
from papers.text.tokens import tokenize
from papers.web import cursors

papers_router, topics_router = Router(tags=["papers"]), Router(tags=["topics"])


def parse_iso_date(value: Any) -> date:
    """Accept only YYYY-MM-DD; pydantic alone would read a number as a Unix timestamp."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("Input should be a date in the format YYYY-MM-DD.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("Input should be a valid calendar date.") from None


IsoDate = Annotated[date, BeforeValidator(parse_iso_date)]
# Given as JSON schema because django-ninja drops the description of a path parameter's Field.
SLUG_JSON_SCHEMA = {"description": "A topic's name in URLs.", "example": "robotics"}
IDENTITY_JSON_SCHEMA = {"description": "A paper's id.", "example": "1706.03762"}
TopicSlug = Annotated[
    str, Field(pattern="^[-a-zA-Z0-9_]+$", max_length=64, json_schema_extra={**SLUG_JSON_SCHEMA})
]
Identity = Annotated[str, Field(json_schema_extra={**IDENTITY_JSON_SCHEMA})]
# The default of an optional parameter; typed Any so that the schema does not allow null.
UNSET: Any = None


class Sort(StrEnum):
    NEWEST = "newest"
    TRENDING = "trending"


class PageParameters(Schema):
    """Pagination parameters of every list."""

    limit: Annotated[int, Field(ge=1, le=100, description="Items per page, 1 to 100.")] = 20
    cursor: Annotated[
        str,
        Field(
            max_length=cursors.MAX_CURSOR_CHARS,
            description="The start of the page. Take it from the URL in “next”; do not construct it.",
        ),
    ] = UNSET


class PaperFilters(PageParameters):
    """Filters of the list of papers; a paper must match all of them."""

    q: Annotated[
        str,
        Field(
            min_length=1,
            max_length=query.MAX_QUERY_CHARS,
            description='Search query: words, "phrases", -excluded, author:, topic:, category:, since:, '
            "as in the site's search. Best matches come first unless “sort” is set. If more than "
            f"{engine.MAX_RESULTS:,} papers match, only the newest are considered.",
        ),
    ] = UNSET
    topic: TopicSlug = UNSET
    day: Annotated[IsoDate, Field(description="Listed on this day.")] = UNSET
    since: Annotated[IsoDate, Field(description="Listed on this day or later.")] = UNSET
    until: Annotated[IsoDate, Field(description="Listed on this day or earlier.")] = UNSET
    sort: Annotated[
        Sort,
        Field(
            description="newest: by day of listing. trending: papers listed in the last "
            f"{models.TRENDING_WINDOW_DAYS} days, highest score first. Scores change between pages; "
            "for a frozen ranking use an edition."
        ),
    ] = UNSET

    @property
    def date_range(self) -> tuple[date, date]:
        """Return the first and last day that match all of `day`, `since` and `until`."""
        lower_bounds = [day for day in (self.day, self.since) if day]
        upper_bounds = [day for day in (self.day, self.until) if day]
        return max(lower_bounds, default=date.min), min(upper_bounds, default=date.max)


PAPER_NOT_FOUND_MESSAGE, TOPIC_NOT_FOUND_MESSAGE = (
    "There is no paper with this id.",
    "There is no topic with this name.",
)
SORT_FIELDS = {
    None: ("sort_date", "pk"),
    Sort.NEWEST: ("sort_date", "pk"),
    Sort.TRENDING: ("score", "sort_date", "pk"),
}


def curl_example(path: str) -> dict[str, Any]:
    """Return a sample call for the OpenAPI document and the documentation page."""
    source = f"curl '{settings.API_URL}{path}'"
    return {"x-codeSamples": [{"lang": "Shell", "source": source}]}


@papers_router.get(
    "",
    response=schemas.PaperListSchema,
    operation_id="list_papers",
    summary="List papers by date, score or search relevance",
    openapi_extra=curl_example("/papers?topic=robotics&sort=trending&limit=5"),
)
def list_papers(
    request: HttpRequest, response: HttpResponse, filters: Query[PaperFilters]
) -> dict[str, Any]:
    papers = filter_papers(filters, today=timezone.now().date())
    if filters.q and not filters.sort:
        page, position = search_page(filters, papers)
    else:
        if filters.q:
            papers = papers.filter(pk__in=search_paper_ids(filters))
        page, position = keyset_page(papers, filters, *SORT_FIELDS[filters.sort])
    set_last_modified(response, [moment for paper in page for moment in modification_times(paper)])
    next_url = next_link(request, response, filters, position, query_key=cursor_key(filters))
    return {"items": page, "next": next_url}


@papers_router.get(
    "/{path:identity}",
    response=schemas.PaperSchema,
    operation_id="get_paper",
    summary="Get a paper",
    openapi_extra=curl_example("/papers/1706.03762"),
)
def get_paper(
    request: HttpRequest, response: HttpResponse, identity: Path[Identity]
) -> models.Paper:
    """Look a paper up by arXiv id (with or without version), DOI, or an `id` from a list."""
    paper = models.Paper.objects.with_identifier(identity).with_topics().first()
    if paper is None:
        raise Http404(PAPER_NOT_FOUND_MESSAGE)
    set_last_modified(response, modification_times(paper))
    return paper


@topics_router.get(
    "",
    response=schemas.TopicListSchema,
    operation_id="list_topics",
    summary="List all topics, most trending papers first",
    openapi_extra=curl_example("/topics"),
)
def list_topics(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    today = timezone.now().date()
    set_week_last_modified(response, today)
    return {"items": models.Topic.objects.list_by_trending_count(on=today)}


@topics_router.get(
    "/{slug}",
    response=schemas.TopicSchema,
    operation_id="get_topic",
    summary="Get a topic",
    openapi_extra=curl_example("/topics/robotics"),
)
def get_topic(request: HttpRequest, response: HttpResponse, slug: Path[TopicSlug]) -> models.Topic:
    today = timezone.now().date()
    set_week_last_modified(response, today)
    for topic in models.Topic.objects.list_by_trending_count(on=today):
        if topic.slug == slug:
            return topic
    raise Http404(TOPIC_NOT_FOUND_MESSAGE)


def set_week_last_modified(response: HttpResponse, today: date) -> None:
    """Set Last-Modified for topics: their counts change with the week's papers and at midnight."""
    week = models.Paper.objects.listed_between(
        today - timedelta(models.TRENDING_WINDOW_DAYS), today
    )
    latest_changes = week.aggregate(Max("added_at"), Max("scored_at"))
    set_last_modified(response, [schemas.midnight(today), *latest_changes.values()])


def filter_papers(filters: PaperFilters, *, today: date) -> QuerySet[models.Paper]:
    """Apply all filters but `q`; raise Http404 for an unknown topic."""
    papers = models.Paper.objects.with_topics()
    if filters.topic:
        topic = models.Topic.objects.filter(slug=filters.topic).first()
        if topic is None:
            raise Http404(TOPIC_NOT_FOUND_MESSAGE)
        papers = papers.filter(topics=topic)
    first, last = filters.date_range
    if filters.sort is Sort.TRENDING:
        first = max(first, today - timedelta(models.TRENDING_WINDOW_DAYS))
        return papers.listed_between(first, min(last, today)).filter(withdrawn=False)
    if (first, last) == (date.min, date.max):
        return papers
    return papers.filter(sort_date__gte=first, sort_date__lte=last)


def search_paper_ids(filters: PaperFilters) -> list[int]:
    """Return the ids of the papers that match `q`, best first."""
    parsed = query.parse_query(filters.q)
    first, last = filters.date_range
    terms = parsed.terms
    if filters.topic and parsed.is_searchable:
        # The engine considers only the newest matches: without this term, those of a common word
        # could all be outside the topic.
        terms += (query.QueryTerm(tuple(tokenize(filters.topic)), "topic"),)
    parsed = replace(parsed, terms=terms, since=max(first, parsed.since or first), until=last)
    return [paper_id for paper_id, _ in engine.search_ids(parsed)]


def keyset_page(
    queryset: QuerySet[models.Paper], filters: PaperFilters, *order: str
) -> tuple[list[models.Paper], list[Any] | None]:
    """Return a page, and the position after which the next one starts, or None on the last."""
    rows = queryset.order_by(*(f"-{name}" for name in order))
    if filters.cursor:
        rows = cursors.filter_after(
            rows, cursors.decode_cursor(filters.cursor, query_key=cursor_key(filters)), *order
        )
    papers = list(rows[: filters.limit + 1])  # one more than a page, to see whether it is the last
    page = papers[: filters.limit]
    return page, cursors.position_of(page[-1], *order) if len(papers) > filters.limit else None


def search_page(
    filters: PaperFilters, queryset: QuerySet[models.Paper]
) -> tuple[list[models.Paper], list[Any] | None]:
    """Return a page in order of relevance; its position is an offset into the search results."""
    (start,) = (
        cursors.decode_cursor(filters.cursor, query_key=cursor_key(filters))
        if filters.cursor
        else (0,)
    )
    ids = search_paper_ids(filters)
    matching = set(queryset.filter(pk__in=ids).values_list("pk", flat=True))
    ranked_ids = [paper_id for paper_id in ids if paper_id in matching]
    end = start + filters.limit
    papers = queryset.in_bulk(ranked_ids[start:end])
    page = [papers[paper_id] for paper_id in ranked_ids[start:end] if paper_id in papers]
    return page, [end] if end < len(ranked_ids) else None


def cursor_key(filters: PaperFilters) -> str:
    """Return what identifies the query; the limit is left out, so it may change between pages."""
    return f"papers {filters.model_dump_json(exclude={'cursor', 'limit'})}"


def next_link(
    request: HttpRequest,
    response: HttpResponse,
    parameters: PageParameters,
    position: list[Any] | None,
    *,
    query_key: str,
) -> str | None:
    """Return the next page's URL or None, and set it as the Link header too."""
    if position is None:
        return None
    query_params = parameters.model_dump(mode="json", exclude_unset=True, exclude={"cursor"})
    query_params["cursor"] = cursors.encode_cursor(position, query_key=query_key)
    url = f"{settings.SITE_URL}{request.path}?{urlencode(query_params)}"
    response["Link"] = f'<{url}>; rel="next"'
    return url
