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
from papers.api.schemas import moments_of, stamp
from papers.search import engine, query
from papers.text.tokens import words
from papers.web import cursors

papers, topics = Router(tags=["papers"]), Router(tags=["topics"])


def only_iso(written: Any) -> date:
    """Nothing but YYYY-MM-DD: a number could be a moment, and nobody means that."""
    if not isinstance(written, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", written):
        raise ValueError("Input should be a date written YYYY-MM-DD.")
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise ValueError("Input should be a day that the calendar has.") from None


Day = Annotated[date, BeforeValidator(only_iso)]
# Described so, because the library drops a Field's own description from a path.
SLUG = {"description": "A topic's name in addresses.", "example": "robotics"}
IN_PATH = {"description": "A paper's id.", "example": "1706.03762"}
Slug = Annotated[str, Field(pattern="^[-a-zA-Z0-9_]+$", max_length=64, json_schema_extra={**SLUG})]
Identity = Annotated[str, Field(json_schema_extra={**IN_PATH})]
# What is left out is None; to write null is no way of leaving it out.
LEFT_OUT: Any = None


class Sort(StrEnum):
    NEWEST = "newest"
    TRENDING = "trending"


class Page(Schema):
    """Which part of a list; every list takes these."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many on a page, 1 to 100.")] = 20
    cursor: Annotated[
        str,
        Field(
            max_length=cursors.LONGEST,
            description="Where the page begins: part of the address in “next”, not to be made up.",
        ),
    ] = LEFT_OUT


class Asked(Page):
    """Which papers; what is given must all be met."""

    q: Annotated[
        str,
        Field(
            min_length=1,
            max_length=query.LONGEST,
            description='Words, "phrases", -without, author:, topic:, category:, since:, as in the '
            "site's search. The best matches come first unless “sort” is given. Of more than "
            f"{engine.MOST:,} matches the newest are looked at.",
        ),
    ] = LEFT_OUT
    topic: Slug = LEFT_OUT
    day: Annotated[Day, Field(description="Listed on this day.")] = LEFT_OUT
    since: Annotated[Day, Field(description="Listed on this day or later.")] = LEFT_OUT
    until: Annotated[Day, Field(description="Listed on this day or earlier.")] = LEFT_OUT
    sort: Annotated[
        Sort,
        Field(
            description="newest: by the day of listing. trending: what was listed in the last "
            f"{models.TRENDING_DAYS} days, the hottest first; a ranking moves, an edition does not."
        ),
    ] = LEFT_OUT

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last that may be."""
        firsts = [each for each in (self.day, self.since) if each]
        lasts = [each for each in (self.day, self.until) if each]
        return max(firsts, default=date.min), min(lasts, default=date.max)


NO_PAPER, NO_TOPIC = "There is no paper of this id.", "There is no topic of this name."
ORDER = {None: ("day", "pk"), Sort.NEWEST: ("day", "pk"), Sort.TRENDING: ("score", "day", "pk")}


def sample(address: str) -> dict[str, Any]:
    """How it is called, for the description and the page."""
    source = f"curl '{settings.API_URL}{address}'"
    return {"x-codeSamples": [{"lang": "Shell", "source": source}]}


@papers.get(
    "",
    response=schemas.Papers,
    operation_id="list_papers",
    summary="Papers, newest, hottest or best match first",
    openapi_extra=sample("/papers?topic=robotics&sort=trending&limit=5"),
)
def list_papers(
    request: HttpRequest, response: HttpResponse, asked: Query[Asked]
) -> dict[str, Any]:
    chosen = choose(asked, today=timezone.now().date())
    if asked.q and not asked.sort:
        found, place = best_matches(asked, chosen)
    else:
        if asked.q:
            chosen = chosen.filter(pk__in=matching(asked))
        found, place = page_of(chosen, asked, *ORDER[asked.sort])
    stamp(response, [moment for paper in found for moment in moments_of(paper)])
    following = link(request, response, asked, place, question=question(asked))
    return {"items": found, "next": following}


@papers.get(
    "/{path:identity}",
    response=schemas.Paper,
    operation_id="get_paper",
    summary="One paper",
    openapi_extra=sample("/papers/1706.03762"),
)
def get_paper(
    request: HttpRequest, response: HttpResponse, identity: Path[Identity]
) -> models.Paper:
    """By its arXiv id, without or with a version, its DOI, or the id that a list gives."""
    found = models.Paper.objects.known_as(identity).with_topics().first()
    if found is None:
        raise Http404(NO_PAPER)
    stamp(response, moments_of(found))
    return found


@topics.get(
    "",
    response=schemas.Topics,
    operation_id="list_topics",
    summary="All topics, the busiest first",
    openapi_extra=sample("/topics"),
)
def list_topics(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    today = timezone.now().date()
    stamp_week(response, today)
    return {"items": models.Topic.objects.busiest_first(on=today)}


@topics.get(
    "/{slug}",
    response=schemas.Topic,
    operation_id="get_topic",
    summary="One topic",
    openapi_extra=sample("/topics/robotics"),
)
def get_topic(request: HttpRequest, response: HttpResponse, slug: Path[Slug]) -> models.Topic:
    today = timezone.now().date()
    stamp_week(response, today)
    for topic in models.Topic.objects.busiest_first(on=today):
        if topic.slug == slug:
            return topic
    raise Http404(NO_TOPIC)


def stamp_week(response: HttpResponse, today: date) -> None:
    """A topic's count changes with the week's papers, and with the day."""
    week = models.Paper.objects.listed_between(today - timedelta(models.TRENDING_DAYS), today)
    changed = week.aggregate(Max("added_at"), Max("scored_at"))
    stamp(response, [schemas.midnight(today), *changed.values()])


def choose(asked: Asked, *, today: date) -> QuerySet[models.Paper]:
    chosen = models.Paper.objects.with_topics()
    if asked.topic:
        topic = models.Topic.objects.filter(slug=asked.topic).first()
        if topic is None:
            raise Http404(NO_TOPIC)
        chosen = chosen.filter(topics=topic)
    first, last = asked.days
    if asked.sort is Sort.TRENDING:
        first = max(first, today - timedelta(models.TRENDING_DAYS))
        return chosen.listed_between(first, min(last, today)).filter(withdrawn=False)
    if (first, last) == (date.min, date.max):
        return chosen
    return chosen.filter(day__gte=first, day__lte=last)


def matching(asked: Asked) -> list[int]:
    """The ids that `q` finds, the best first."""
    wanted = query.parse(asked.q)
    first, last = asked.days
    terms = wanted.terms
    if asked.topic and wanted.asks_for_something:
        # Narrower than it is, so that a common word's newest matches are this topic's.
        terms += (query.Term(tuple(words(asked.topic)), "topic"),)
    wanted = replace(wanted, terms=terms, since=max(first, wanted.since or first), until=last)
    return [paper_id for paper_id, _ in engine.ranked(wanted)]


def page_of(
    chosen: QuerySet[models.Paper], asked: Asked, *order: str
) -> tuple[list[models.Paper], list[Any] | None]:
    """A page, and the place that the next one begins after, if there is one."""
    rows = chosen.order_by(*(f"-{name}" for name in order))
    if asked.cursor:
        rows = cursors.after(rows, cursors.read(asked.cursor, question=question(asked)), *order)
    found = list(rows[: asked.limit + 1])
    page = found[: asked.limit]
    return page, cursors.place_of(page[-1], *order) if len(found) > asked.limit else None


def best_matches(
    asked: Asked, chosen: QuerySet[models.Paper]
) -> tuple[list[models.Paper], list[Any] | None]:
    """The same, in the search's own order, where a place is a number."""
    (start,) = cursors.read(asked.cursor, question=question(asked)) if asked.cursor else (0,)
    ids = matching(asked)
    kept = set(chosen.filter(pk__in=ids).values_list("pk", flat=True))
    in_order = [each for each in ids if each in kept]
    end = start + asked.limit
    found = chosen.in_bulk(in_order[start:end])
    page = [found[each] for each in in_order[start:end] if each in found]
    return page, [end] if end < len(in_order) else None


def question(asked: Asked) -> str:
    return f"papers {asked.model_dump_json(exclude={'cursor', 'limit'})}"


def link(
    request: HttpRequest,
    response: HttpResponse,
    asked: Page,
    place: list[Any] | None,
    *,
    question: str,
) -> str | None:
    """The next page's address; also a header, for those who page without reading the body."""
    if place is None:
        return None
    given = asked.model_dump(mode="json", exclude_unset=True, exclude={"cursor"})
    given["cursor"] = cursors.write(place, question=question)
    address = f"{settings.SITE_URL}{request.path}?{urlencode(given)}"
    response["Link"] = f'<{address}>; rel="next"'
    return address
