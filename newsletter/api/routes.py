"""The API: the routers of all apps, and its error handlers."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja.errors import HttpError, ValidationError

from newsletter.api.editions import editions_router
from newsletter.api.openapi import DocumentedAPI
from papers.api.routes import papers_router, topics_router
from papers.web import cursors
from papers.web.problems import field_errors, problem_response
from subscribers.signup.api import subscriptions

DESCRIPTION = """\
Research papers, the attention they get, and each day's frozen ranking.

Lists are paginated: follow `next` until it is null. Every response has an `ETag`. Send it back as
`If-None-Match` to get a 304 without a body if nothing has changed. `RateLimit-Policy` states the
rate limit and `RateLimit` what is left of it. After a 429, wait for the number of seconds in
`Retry-After`. Errors are problem details (RFC 9457).
"""

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
            "summary": "Trending research papers for programs.",
            "contact": {"name": settings.SITE_NAME, "url": settings.SITE_URL},
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "externalDocs": {"description": "Documentation for people", "url": f"{settings.API_URL}/"},
        "tags": [
            {"name": "papers", "description": "Papers and the attention they get."},
            {"name": "topics", "description": "Fields of research."},
            {"name": "editions", "description": "Each day's frozen ranking."},
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
        404, "There is no such page. Use `next` unchanged, or start from the first page."
    )


@api.exception_handler(ValidationError)
def handle_validation_error(request: HttpRequest, failure: ValidationError) -> HttpResponse:
    errors = field_errors(failure.errors)
    detail = " ".join(f"{error.parameter}: {error.detail}" for error in errors)
    return problem_response(422, detail, errors=errors)


@api.exception_handler(RequestDataTooBig)
def handle_body_too_large(request: HttpRequest, failure: RequestDataTooBig) -> HttpResponse:
    return problem_response(413)


@api.exception_handler(HttpError)
def handle_http_error(request: HttpRequest, failure: HttpError) -> HttpResponse:
    return problem_response(failure.status_code, failure.message)


@api.exception_handler(Exception)
def reraise(request: HttpRequest, failure: Exception) -> NoReturn:
    """Let Django log the error and answer 500; the middleware turns that into a problem."""
    raise failure


def operations_for_page() -> list[dict[str, Any]]:
    """Return the operations as the documentation page shows them."""
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
