"""The API's papers and topics: what a program may ask for, and how."""

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
    """Nothing but YYYY-MM-DD: a number could be a moment, and nobody means that."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("Input should be a date written YYYY-MM-DD.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("Input should be a day that the calendar has.") from None


IsoDate = Annotated[date, BeforeValidator(parse_iso_date)]
# Described so, because the library drops a Field's own description from a path.
SLUG_JSON_SCHEMA = {"description": "A topic's name in addresses.", "example": "robotics"}
IDENTITY_JSON_SCHEMA = {"description": "A paper's id.", "example": "1706.03762"}
TopicSlug = Annotated[
    str, Field(pattern="^[-a-zA-Z0-9_]+$", max_length=64, json_schema_extra={**SLUG_JSON_SCHEMA})
]
Identity = Annotated[str, Field(json_schema_extra={**IDENTITY_JSON_SCHEMA})]
# What is left out is None; to write null is no way of leaving it out.
UNSET: Any = None


class Sort(StrEnum):
    NEWEST = "newest"
    TRENDING = "trending"


class PageParameters(Schema):
    """Which part of a list; every list takes these."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many on a page, 1 to 100.")] = 20
    cursor: Annotated[
        str,
        Field(
            max_length=cursors.MAX_CURSOR_CHARS,
            description="Where the page begins: part of the address in “next”, not to be made up.",
        ),
    ] = UNSET


class PaperFilters(PageParameters):
    """Which papers; what is given must all be met."""

    q: Annotated[
        str,
        Field(
            min_length=1,
            max_length=query.MAX_QUERY_CHARS,
            description='Words, "phrases", -without, author:, topic:, category:, since:, as in the '
            "site's search. The best matches come first unless “sort” is given. Of more than "
            f"{engine.MAX_RESULTS:,} matches the newest are looked at.",
        ),
    ] = UNSET
    topic: TopicSlug = UNSET
    day: Annotated[IsoDate, Field(description="Listed on this day.")] = UNSET
    since: Annotated[IsoDate, Field(description="Listed on this day or later.")] = UNSET
    until: Annotated[IsoDate, Field(description="Listed on this day or earlier.")] = UNSET
    sort: Annotated[
        Sort,
        Field(
            description="newest: by the day of listing. trending: what was listed in the last "
            f"{models.TRENDING_WINDOW_DAYS} days, the hottest first; a ranking moves, an edition does not."
        ),
    ] = UNSET

    @property
    def date_range(self) -> tuple[date, date]:
        """The first and the last that may be."""
        firsts = [each for each in (self.day, self.since) if each]
        lasts = [each for each in (self.day, self.until) if each]
        return max(firsts, default=date.min), min(lasts, default=date.max)


PAPER_NOT_FOUND_MESSAGE, TOPIC_NOT_FOUND_MESSAGE = (
    "There is no paper of this id.",
    "There is no topic of this name.",
)
SORT_FIELDS = {
    None: ("sort_date", "pk"),
    Sort.NEWEST: ("sort_date", "pk"),
    Sort.TRENDING: ("score", "sort_date", "pk"),
}


def curl_example(path: str) -> dict[str, Any]:
    """How it is called, for the description and the page."""
    source = f"curl '{settings.API_URL}{path}'"
    return {"x-codeSamples": [{"lang": "Shell", "source": source}]}


@papers_router.get(
    "",
    response=schemas.PaperListSchema,
    operation_id="list_papers",
    summary="Papers, newest, hottest or best match first",
    openapi_extra=curl_example("/papers?topic=robotics&sort=trending&limit=5"),
)
def list_papers(
    request: HttpRequest, response: HttpResponse, filters: Query[PaperFilters]
) -> dict[str, Any]:
    chosen = filter_papers(filters, today=timezone.now().date())
    if filters.q and not filters.sort:
        found, place = search_page(filters, chosen)
    else:
        if filters.q:
            chosen = chosen.filter(pk__in=search_paper_ids(filters))
        found, place = keyset_page(chosen, filters, *SORT_FIELDS[filters.sort])
    set_last_modified(response, [moment for paper in found for moment in modification_times(paper)])
    following = next_link(request, response, filters, place, query_key=cursor_key(filters))
    return {"items": found, "next": following}


@papers_router.get(
    "/{path:identity}",
    response=schemas.PaperSchema,
    operation_id="get_paper",
    summary="One paper",
    openapi_extra=curl_example("/papers/1706.03762"),
)
def get_paper(
    request: HttpRequest, response: HttpResponse, identity: Path[Identity]
) -> models.Paper:
    """By its arXiv id, without or with a version, its DOI, or the id that a list gives."""
    found = models.Paper.objects.with_identifier(identity).with_topics().first()
    if found is None:
        raise Http404(PAPER_NOT_FOUND_MESSAGE)
    set_last_modified(response, modification_times(found))
    return found


@topics_router.get(
    "",
    response=schemas.TopicListSchema,
    operation_id="list_topics",
    summary="All topics, the busiest first",
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
    summary="One topic",
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
    """A topic's count changes with the week's papers, and with the day."""
    week = models.Paper.objects.listed_between(
        today - timedelta(models.TRENDING_WINDOW_DAYS), today
    )
    changed = week.aggregate(Max("added_at"), Max("scored_at"))
    set_last_modified(response, [schemas.midnight(today), *changed.values()])


def filter_papers(filters: PaperFilters, *, today: date) -> QuerySet[models.Paper]:
    chosen = models.Paper.objects.with_topics()
    if filters.topic:
        topic = models.Topic.objects.filter(slug=filters.topic).first()
        if topic is None:
            raise Http404(TOPIC_NOT_FOUND_MESSAGE)
        chosen = chosen.filter(topics=topic)
    first, last = filters.date_range
    if filters.sort is Sort.TRENDING:
        first = max(first, today - timedelta(models.TRENDING_WINDOW_DAYS))
        return chosen.listed_between(first, min(last, today)).filter(withdrawn=False)
    if (first, last) == (date.min, date.max):
        return chosen
    return chosen.filter(sort_date__gte=first, sort_date__lte=last)


def search_paper_ids(filters: PaperFilters) -> list[int]:
    """The ids that `q` finds, the best first."""
    wanted = query.parse_query(filters.q)
    first, last = filters.date_range
    terms = wanted.terms
    if filters.topic and wanted.is_searchable:
        # Narrower than it is, so that a common word's newest matches are this topic's.
        terms += (query.QueryTerm(tuple(tokenize(filters.topic)), "topic"),)
    wanted = replace(wanted, terms=terms, since=max(first, wanted.since or first), until=last)
    return [paper_id for paper_id, _ in engine.search_ids(wanted)]


def keyset_page(
    queryset: QuerySet[models.Paper], filters: PaperFilters, *order: str
) -> tuple[list[models.Paper], list[Any] | None]:
    """A page, and the place that the next one begins after, if there is one."""
    rows = queryset.order_by(*(f"-{name}" for name in order))
    if filters.cursor:
        rows = cursors.filter_after(
            rows, cursors.decode_cursor(filters.cursor, query_key=cursor_key(filters)), *order
        )
    found = list(rows[: filters.limit + 1])
    page = found[: filters.limit]
    return page, cursors.position_of(page[-1], *order) if len(found) > filters.limit else None


def search_page(
    filters: PaperFilters, queryset: QuerySet[models.Paper]
) -> tuple[list[models.Paper], list[Any] | None]:
    """The same, in the search's own order, where a place is a number."""
    (start,) = (
        cursors.decode_cursor(filters.cursor, query_key=cursor_key(filters))
        if filters.cursor
        else (0,)
    )
    ids = search_paper_ids(filters)
    kept = set(queryset.filter(pk__in=ids).values_list("pk", flat=True))
    in_order = [each for each in ids if each in kept]
    end = start + filters.limit
    found = queryset.in_bulk(in_order[start:end])
    page = [found[each] for each in in_order[start:end] if each in found]
    return page, [end] if end < len(in_order) else None


def cursor_key(filters: PaperFilters) -> str:
    return f"papers {filters.model_dump_json(exclude={'cursor', 'limit'})}"


def next_link(
    request: HttpRequest,
    response: HttpResponse,
    parameters: PageParameters,
    position: list[Any] | None,
    *,
    query_key: str,
) -> str | None:
    """The next page's address; also a header, for those who page without reading the body."""
    if position is None:
        return None
    given = parameters.model_dump(mode="json", exclude_unset=True, exclude={"cursor"})
    given["cursor"] = cursors.encode_cursor(position, query_key=query_key)
    address = f"{settings.SITE_URL}{request.path}?{urlencode(given)}"
    response["Link"] = f'<{address}>; rel="next"'
    return address
