"""The API: where the routers of all apps meet, the editions, and the API's own description."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db.models import Count, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Path, Query, Router, Schema
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from pydantic import Field

from newsletter import models
from papers.api import schemas as api_schemas
from papers.api.routes import Day, Page, link, papers, sample, topics
from papers.api.schemas import Link, example, moments_of, stamp
from papers.models import Topic
from papers.web import cursors
from papers.web.problems import MEDIA_TYPE, Problem, detail, faults_of, problem
from subscribers.signup.api import subscriptions

DESCRIPTION = """\
Research papers, the attention they get, and each day's frozen ranking.

Lists come a page at a time: follow `next` until it is null. Every answer has an `ETag`: send it
back as `If-None-Match`, and what has not changed is answered with 304 and no body. How often you
may ask is in `RateLimit-Policy`, what is left of it in `RateLimit`; after a 429 wait as long as
`Retry-After` says. Every error is a problem as RFC 9457 has them.
"""
# Every operation may answer so …
ALWAYS = (400, 412, 429, 500)
# … and one with a parameter so: a cursor or an id names nothing, a limit is too high.
WITH_PARAMETERS = (404, 422)
PARAMETERS = ("Asked", "Page", "Sort")
HEADERS = {
    name: {"description": said, "schema": {"type": "string"}}
    for name, said in {
        "ETag": "Of this very answer: for If-None-Match.",
        "Last-Modified": "The newest moment known of anything in it: for If-Modified-Since.",
        "Link": 'In a list, where the next page is: rel="next".',
        "RateLimit-Policy": "How many calls (q) in how many seconds (w).",
        "RateLimit": "How many are left (r), and for how many seconds (t).",
    }.items()
}

editions = Router(tags=["editions"])

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


IN_PATH = {"description": "An edition's day, in UTC.", "example": "2026-05-12"}
EditionDay = Annotated[Day, Field(json_schema_extra={**IN_PATH})]


class Edition(Schema):
    """One day's ranking, frozen when it was published."""

    model_config = example(EDITION_EXAMPLE)

    date: date
    published_at: datetime
    url: Annotated[Link, Field(description="The edition's page on this site.")]
    entries_url: Annotated[Link, Field(description="What it holds, by this API.")]
    papers: Annotated[int, Field(description="How many it holds.")]

    @staticmethod
    def resolve_url(edition: models.Edition) -> str:
        return settings.SITE_URL + edition.get_absolute_url()

    @staticmethod
    def resolve_entries_url(edition: models.Edition) -> str:
        return f"{settings.API_URL}/editions/{edition.date}"


class Entry(Schema):
    """A paper's place in an edition, and why it is there, in the figures of that moment."""

    rank: int
    score: float
    upvotes: int
    gain: Annotated[
        int | None,
        Field(description="Upvotes gained in the day before; null if there was no count then."),
    ]
    topic_ranks: Annotated[
        dict[str, int], Field(description="Its topics as they were, and its rank in each.")
    ]
    paper: Annotated[api_schemas.Paper, Field(description="With the figures of today.")]


class EditionWithEntries(Edition):
    """One day's ranking with all its papers, the best first."""

    model_config = example(EDITION_EXAMPLE | {"entries": [ENTRY_EXAMPLE]})

    entries: list[Entry]


class Editions(Schema):
    items: list[Edition]
    next: api_schemas.Next

    model_config = example({"items": [EDITION_EXAMPLE], "next": None})


@editions.get(
    "",
    response=Editions,
    operation_id="list_editions",
    summary="Editions, newest first",
    openapi_extra=sample("/editions?limit=7"),
)
def list_editions(
    request: HttpRequest, response: HttpResponse, page: Query[Page]
) -> dict[str, Any]:
    rows = counted().order_by("-date")
    question = "editions"  # a cursor of the papers is none of these
    if page.cursor:
        rows = cursors.after(rows, cursors.read(page.cursor, question=question), "date")
    found = list(rows[: page.limit + 1])
    shown = found[: page.limit]
    place = cursors.place_of(shown[-1], "date") if len(found) > page.limit else None
    stamp(response, [each.published_at for each in shown])
    return {"items": shown, "next": link(request, response, page, place, question=question)}


@editions.get(
    "/{day}",
    response=EditionWithEntries,
    operation_id="get_edition",
    summary="One edition with its papers, and why each is there",
    openapi_extra=sample("/editions/2026-05-12"),
)
def get_edition(
    request: HttpRequest, response: HttpResponse, day: Path[EditionDay]
) -> models.Edition:
    by_name = Prefetch("paper__topics", Topic.objects.order_by("name"))
    in_order = models.Entry.objects.select_related("paper").order_by("rank")
    entries = Prefetch("entries", in_order.prefetch_related(by_name))
    edition = counted().prefetch_related(entries).filter(date=day).first()
    if edition is None:
        raise Http404("There is no edition of this day.")
    moments = [moment for each in edition.entries.all() for moment in moments_of(each.paper)]
    stamp(response, [edition.published_at, *moments])
    return edition


def counted() -> QuerySet[models.Edition]:
    return models.Edition.objects.annotate(papers=Count("entries"))


class API(NinjaAPI):
    """Describes also what every operation has in common."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = schema["components"]["schemas"]
        schemas |= problem.pop("$defs") | {"Problem": problem}
        for name in PARAMETERS:  # they are written out where they belong
            schemas.pop(name)
        for path in schema["paths"].values():
            for operation in path.values():
                complete(operation)
        return schema


def resources() -> list[dict[str, Any]]:
    """The operations, for a page that people read."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "summary": operation["summary"],
            "description": operation.get("description", ""),
            "parameters": operation["parameters"],
            "samples": operation.get("x-codeSamples", []),
        }
        for path, operations in api.get_openapi_schema()["paths"].items()
        for method, operation in operations.items()
    ]


def complete(operation: dict[str, Any]) -> None:
    # What to ask for first, then how much of it.
    operation["parameters"].sort(key=lambda each: each["name"] in Page.model_fields)
    for parameter in operation["parameters"]:
        # What may be left out has no value then; null would be one.
        if parameter["schema"].get("default", "") is None:
            del parameter["schema"]["default"]
    said = operation["responses"]
    if 200 in said and not operation.get("requestBody"):
        said[200]["headers"] = HEADERS
        said[304] = {"description": "Not changed: it is what you have."}
    own = [status for status in said if status >= 400]
    for status in {*own, *ALWAYS, *(WITH_PARAMETERS if operation["parameters"] else ())}:
        said[status] = {
            "description": detail(status),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    said[429]["headers"] = {
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
    }
    operation["responses"] = dict(sorted(said.items()))


api = API(
    title=f"{settings.SITE_NAME} API",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    servers=[{"url": settings.SITE_URL}],
    docs_url=None,
    docs_decorator=lambda view: csrf_exempt(require_safe(view)),
    openapi_extra={
        "info": {
            "summary": "What trends in research, for programs.",
            "contact": {"name": settings.SITE_NAME, "url": settings.SITE_URL},
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "externalDocs": {"description": "The same for people", "url": f"{settings.API_URL}/"},
        "tags": [
            {"name": "papers", "description": "What was published, and who noticed."},
            {"name": "topics", "description": "Fields of research."},
            {"name": "editions", "description": "Each day's ranking, frozen."},
        ],
    },
)
api.add_router("/papers", papers)
api.add_router("/topics", topics)
api.add_router("/editions", editions)
api.add_router("/subscriptions", subscriptions)


@api.exception_handler(Http404)
def nothing_there(request: HttpRequest, failure: Http404) -> HttpResponse:
    return problem(404, str(failure))


@api.exception_handler(cursors.NoSuchPage)
def no_such_page(request: HttpRequest, failure: cursors.NoSuchPage) -> HttpResponse:
    return problem(404, "There is no such page: follow `next` as it was given, or begin anew.")


@api.exception_handler(ValidationError)
def not_as_it_should_be(request: HttpRequest, failure: ValidationError) -> HttpResponse:
    faults = faults_of(failure.errors)
    said = " ".join(f"{each.parameter}: {each.detail}" for each in faults)
    return problem(422, said, faults=faults)


@api.exception_handler(RequestDataTooBig)
def too_large(request: HttpRequest, failure: RequestDataTooBig) -> HttpResponse:
    return problem(413)


@api.exception_handler(HttpError)
def refused(request: HttpRequest, failure: HttpError) -> HttpResponse:
    return problem(failure.status_code, failure.message)


@api.exception_handler(Exception)
def failed(request: HttpRequest, failure: Exception) -> NoReturn:
    """Django's to log and to answer; the gateway then makes a problem of it."""
    raise failure
