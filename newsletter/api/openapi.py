"""The API's OpenAPI document, including what the middleware adds to every operation."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from papers.api.routes import PageParameters
from papers.web.problems import PROBLEM_MEDIA_TYPE, Problem, default_detail

# Statuses that every operation can return.
COMMON_STATUSES = (400, 412, 429, 500)
# Statuses of operations with parameters: an id or cursor that does not exist, an invalid value.
PARAMETER_STATUSES = (404, 422)
PARAMETER_SCHEMAS = ("PaperFilters", "PageParameters", "Sort")
RESPONSE_HEADERS = {
    name: {"description": description, "schema": {"type": "string"}}
    for name, description in {
        "ETag": "Identifies this response; for If-None-Match.",
        "Last-Modified": "The latest known change of its content; for If-Modified-Since.",
        "Link": 'In lists, the next page: rel="next".',
        "RateLimit-Policy": "Allowed requests (q) per window in seconds (w).",
        "RateLimit": "Requests left (r), and seconds until the window resets (t).",
    }.items()
}


class DocumentedAPI(NinjaAPI):
    """An API whose OpenAPI document includes the headers and problems of the middleware."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = schema["components"]["schemas"]
        schemas |= problem.pop("$defs") | {"Problem": problem}
        for name in PARAMETER_SCHEMAS:  # their fields are inlined as parameters
            schemas.pop(name)
        for path in schema["paths"].values():
            for operation in path.values():
                add_common_responses(operation)
        return schema


def add_common_responses(operation: dict[str, Any]) -> None:
    """Add the headers and problems of the middleware to an operation, in place."""
    # Filters first, pagination last.
    operation["parameters"].sort(
        key=lambda parameter: parameter["name"] in PageParameters.model_fields
    )
    for parameter in operation["parameters"]:
        # An optional parameter has no default; null is not a valid value.
        if parameter["schema"].get("default", "") is None:
            del parameter["schema"]["default"]
    responses = operation["responses"]
    if 200 in responses and not operation.get("requestBody"):
        responses[200]["headers"] = RESPONSE_HEADERS
        responses[304] = {"description": "Not modified: your copy is current."}
    declared_statuses = [status for status in responses if status >= 400]
    for status in {
        *declared_statuses,
        *COMMON_STATUSES,
        *(PARAMETER_STATUSES if operation["parameters"] else ()),
    }:
        responses[status] = {
            "description": default_detail(status),
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    responses[429]["headers"] = {
        "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
    }
    operation["responses"] = dict(sorted(responses.items()))
