"""What went wrong, said alike everywhere in the API: problem details, as RFC 9457 has them."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpResponse
from ninja import Schema
from pydantic import ConfigDict, Field

PROBLEM_MEDIA_TYPE = "application/problem+json"

# What a status means here, when nothing more is known.
DEFAULT_DETAILS = {
    400: "The request could not be understood.",
    403: "This is not yours to do.",
    404: "There is nothing at this address: {docs} lists what there is.",
    405: "Nothing here can be called by this method: Allow names those that can.",
    412: "It is not, or no longer, what If-Match or If-Unmodified-Since asked for.",
    413: "What was sent is larger than anything this API takes.",
    422: "A parameter is not as it should be.",
    429: "Too many requests: wait as long as Retry-After says.",
    500: "Something failed here, and the fault is ours. Try again later.",
}


class FieldError(Schema):
    """One parameter that is not as it should be."""

    parameter: Annotated[str, Field(description="The parameter's name.")]
    detail: Annotated[str, Field(description="What is wrong with it.")]


class Problem(Schema):
    """Why a request could not be answered (RFC 9457)."""

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

    type: Annotated[str, Field(description="An address that explains this kind of problem.")]
    title: Annotated[str, Field(description="The kind of problem, in two or three words.")]
    status: Annotated[int, Field(description="The HTTP status, again.", ge=400, le=599)]
    detail: Annotated[str, Field(description="A sentence for a person about this very request.")]
    errors: Annotated[
        list[FieldError] | None, Field(description="Each parameter at fault; only with 422.")
    ] = None


def problem_types() -> list[tuple[int, str, str]]:
    """Status, title and meaning of every problem, for people to read."""
    return [
        (status, HTTPStatus(status).phrase, default_detail(status)) for status in DEFAULT_DETAILS
    ]


def default_detail(status: int) -> str:
    """What is said of a status when nothing more is known."""
    said = DEFAULT_DETAILS.get(status, HTTPStatus(status).description)
    return said.format(docs=f"{settings.API_URL}/")


def problem_response(
    status: int, detail: str = "", *, errors: Sequence[FieldError] = ()
) -> HttpResponse:
    found = Problem(
        type=f"{settings.API_URL}/#{status}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail or default_detail(status),
        errors=list(errors) or None,
    )
    body = found.model_dump_json(exclude_none=True)
    return HttpResponse(body, status=status, content_type=PROBLEM_MEDIA_TYPE)


def field_errors(errors: Sequence[dict[str, Any]]) -> list[FieldError]:
    """What the validation found, without what was sent."""
    return [
        FieldError(parameter=str(each["loc"][-1]), detail=format_error_message(each["msg"]))
        for each in errors
    ]


def format_error_message(message: str) -> str:
    return f"{message.removeprefix('Value error, ').rstrip('.')}."
