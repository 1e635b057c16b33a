"""Problem details (RFC 9457): the one format of every API error."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpResponse
from ninja import Schema
from pydantic import ConfigDict, Field

PROBLEM_MEDIA_TYPE = "application/problem+json"

# The detail of a problem for which the code gives no sentence of its own.
DEFAULT_DETAILS = {
    400: "The request could not be understood.",
    403: "You do not have permission to do this.",
    404: "Nothing was found at this address. {docs} lists all addresses.",
    405: "Method not allowed. The Allow header lists the allowed methods.",
    412: "The precondition in If-Match or If-Unmodified-Since is not met.",
    413: "The request body is too large.",
    422: "A parameter is invalid.",
    429: "Too many requests. Wait for the number of seconds in Retry-After.",
    500: "Internal error. The fault is on our side; try again later.",
}


class FieldError(Schema):
    """An invalid parameter."""

    parameter: Annotated[str, Field(description="The parameter's name.")]
    detail: Annotated[str, Field(description="What is wrong with it.")]


class Problem(Schema):
    """Problem details of a failed request (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "https://papers.example.org/api/v1/#422",
                    "title": "Unprocessable Entity",
                    "status": 422,
                    "detail": "limit: Input should be less than or equal to 100.",
                    "errors": [
                        {
                            "parameter": "limit",
                            "detail": "Input should be less than or equal to 100.",
                        }
                    ],
                }
            ]
        }
    )

    type: Annotated[str, Field(description="A URL that documents this type of problem.")]
    title: Annotated[str, Field(description="The type of problem in a few words.")]
    status: Annotated[int, Field(description="The HTTP status code.", ge=400, le=599)]
    detail: Annotated[str, Field(description="A sentence about this request, for people to read.")]
    errors: Annotated[
        list[FieldError] | None, Field(description="The invalid parameters; only with status 422.")
    ] = None


def problem_types() -> list[tuple[int, str, str]]:
    """Return status, title and default detail of every type, for the documentation page."""
    return [
        (status, HTTPStatus(status).phrase, default_detail(status)) for status in DEFAULT_DETAILS
    ]


def default_detail(status: int) -> str:
    detail = DEFAULT_DETAILS.get(status, HTTPStatus(status).description)
    return detail.format(docs=f"{settings.API_URL}/")


def problem_response(
    status: int, detail: str = "", *, errors: Sequence[FieldError] = ()
) -> HttpResponse:
    """Return the problem as JSON, with the status's default detail if none is passed."""
    problem = Problem(
        type=f"{settings.API_URL}/#{status}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail or default_detail(status),
        errors=list(errors) or None,
    )
    body = problem.model_dump_json(exclude_none=True)
    return HttpResponse(body, status=status, content_type=PROBLEM_MEDIA_TYPE)


def field_errors(errors: Sequence[dict[str, Any]]) -> list[FieldError]:
    """Convert pydantic's errors; drop the submitted values, which may be personal or huge."""
    return [
        FieldError(parameter=str(error["loc"][-1]), detail=format_error_message(error["msg"]))
        for error in errors
    ]


def format_error_message(message: str) -> str:
    return f"{message.removeprefix('Value error, ').rstrip('.')}."
