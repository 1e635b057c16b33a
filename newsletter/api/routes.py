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
from papers.api.routes import (
    IsoDate,
    PageParameters,
    curl_example,
    next_link,
    papers_router,
    topics_router,
)
from papers.api.schemas import Uri, example_config, modification_times, set_last_modified
from papers.models import Topic
from papers.web import cursors
from papers.web.problems import (
    PROBLEM_MEDIA_TYPE,
    Problem,
    default_detail,
    field_errors,
    problem_response,
)
from subscribers.signup.api import subscriptions

DESCRIPTION = """\
Research papers, the attention they get, and each day's frozen ranking.

Lists come a page at a time: follow `next` until it is null. Every answer has an `ETag`: send it
back as `If-None-Match`, and what has not changed is answered with 304 and no body. How often you
may ask is in `RateLimit-Policy`, what is left of it in `RateLimit`; after a 429 wait as long as
`Retry-After` says. Every error is a problem as RFC 9457 has them.
"""
# Every operation may answer so …
COMMON_STATUSES = (400, 412, 429, 500)
# … and one with a parameter so: a cursor or an id names nothing, a limit is too high.
PARAMETER_STATUSES = (404, 422)
PARAMETER_SCHEMAS = ("PaperFilters", "PageParameters", "Sort")
RESPONSE_HEADERS = {
    name: {"description": said, "schema": {"type": "string"}}
    for name, said in {
        "ETag": "Of this very answer: for If-None-Match.",
        "Last-Modified": "The newest moment known of anything in it: for If-Modified-Since.",
        "Link": 'In a list, where the next page is: rel="next".',
        "RateLimit-Policy": "How many calls (q) in how many seconds (w).",
        "RateLimit": "How many are left (r), and for how many seconds (t).",
    }.items()
}

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


EDITION_DATE_JSON_SCHEMA = {"description": "An edition's day, in UTC.", "example": "2026-05-12"}
EditionDate = Annotated[IsoDate, Field(json_schema_extra={**EDITION_DATE_JSON_SCHEMA})]


class EditionSchema(Schema):
    """One day's ranking, frozen when it was published."""

    model_config = example_config(EDITION_EXAMPLE)

    date: date
    published_at: datetime
    url: Annotated[Uri, Field(description="The edition's page on this site.")]
    entries_url: Annotated[Uri, Field(description="What it holds, by this API.")]
    papers: Annotated[int, Field(description="How many it holds.")]

    @staticmethod
    def resolve_url(edition: models.Edition) -> str:
        return settings.SITE_URL + edition.get_absolute_url()

    @staticmethod
    def resolve_entries_url(edition: models.Edition) -> str:
        return f"{settings.API_URL}/editions/{edition.date}"


class EntrySchema(Schema):
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
    paper: Annotated[api_schemas.PaperSchema, Field(description="With the figures of today.")]


class EditionDetailSchema(EditionSchema):
    """One day's ranking with all its papers, the best first."""

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
    summary="Editions, newest first",
    openapi_extra=curl_example("/editions?limit=7"),
)
def list_editions(
    request: HttpRequest, response: HttpResponse, parameters: Query[PageParameters]
) -> dict[str, Any]:
    rows = editions_with_counts().order_by("-date")
    question = "editions"  # a cursor of the papers is none of these
    if parameters.cursor:
        rows = cursors.filter_after(
            rows, cursors.decode_cursor(parameters.cursor, query_key=question), "date"
        )
    found = list(rows[: parameters.limit + 1])
    shown = found[: parameters.limit]
    place = cursors.position_of(shown[-1], "date") if len(found) > parameters.limit else None
    set_last_modified(response, [each.published_at for each in shown])
    return {
        "items": shown,
        "next": next_link(request, response, parameters, place, query_key=question),
    }


@editions_router.get(
    "/{day}",
    response=EditionDetailSchema,
    operation_id="get_edition",
    summary="One edition with its papers, and why each is there",
    openapi_extra=curl_example("/editions/2026-05-12"),
)
def get_edition(
    request: HttpRequest, response: HttpResponse, day: Path[EditionDate]
) -> models.Edition:
    by_name = Prefetch("paper__topics", Topic.objects.order_by("name"))
    in_order = models.Entry.objects.select_related("paper").order_by("rank")
    entries = Prefetch("entries", in_order.prefetch_related(by_name))
    edition = editions_with_counts().prefetch_related(entries).filter(date=day).first()
    if edition is None:
        raise Http404("There is no edition of this day.")
    moments = [
        moment for each in edition.entries.all() for moment in modification_times(each.paper)
    ]
    set_last_modified(response, [edition.published_at, *moments])
    return edition


def editions_with_counts() -> QuerySet[models.Edition]:
    return models.Edition.objects.annotate(papers=Count("entries"))


class DocumentedAPI(NinjaAPI):
    """Describes also what every operation has in common."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = schema["components"]["schemas"]
        schemas |= problem.pop("$defs") | {"Problem": problem}
        for name in PARAMETER_SCHEMAS:  # they are written out where they belong
            schemas.pop(name)
        for path in schema["paths"].values():
            for operation in path.values():
                add_common_responses(operation)
        return schema


def operations_for_page() -> list[dict[str, Any]]:
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


def add_common_responses(operation: dict[str, Any]) -> None:
    # What to ask for first, then how much of it.
    operation["parameters"].sort(key=lambda each: each["name"] in PageParameters.model_fields)
    for parameter in operation["parameters"]:
        # What may be left out has no value then; null would be one.
        if parameter["schema"].get("default", "") is None:
            del parameter["schema"]["default"]
    said = operation["responses"]
    if 200 in said and not operation.get("requestBody"):
        said[200]["headers"] = RESPONSE_HEADERS
        said[304] = {"description": "Not changed: it is what you have."}
    own = [status for status in said if status >= 400]
    for status in {
        *own,
        *COMMON_STATUSES,
        *(PARAMETER_STATUSES if operation["parameters"] else ()),
    }:
        said[status] = {
            "description": default_detail(status),
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    said[429]["headers"] = {
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
    }
    operation["responses"] = dict(sorted(said.items()))


api = DocumentedAPI(
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
api.add_router("/papers", papers_router)
api.add_router("/topics", topics_router)
api.add_router("/editions", editions_router)
api.add_router("/subscriptions", subscriptions)


@api.exception_handler(Http404)
def handle_not_found(request: HttpRequest, failure: Http404) -> HttpResponse:
    return problem_response(404, str(failure))


@api.exception_handler(cursors.InvalidCursorError)
def handle_invalid_cursor(
    request: HttpRequest, failure: cursors.InvalidCursorError
) -> HttpResponse:
    return problem_response(
        404, "There is no such page: follow `next` as it was given, or begin anew."
    )


@api.exception_handler(ValidationError)
def handle_validation_error(request: HttpRequest, failure: ValidationError) -> HttpResponse:
    faults = field_errors(failure.errors)
    said = " ".join(f"{each.parameter}: {each.detail}" for each in faults)
    return problem_response(422, said, errors=faults)


@api.exception_handler(RequestDataTooBig)
def handle_body_too_large(request: HttpRequest, failure: RequestDataTooBig) -> HttpResponse:
    return problem_response(413)


@api.exception_handler(HttpError)
def handle_http_error(request: HttpRequest, failure: HttpError) -> HttpResponse:
    return problem_response(failure.status_code, failure.message)


@api.exception_handler(Exception)
def reraise(request: HttpRequest, failure: Exception) -> NoReturn:
    """Django's to log and to answer; the gateway then makes a problem of it."""
    raise failure
