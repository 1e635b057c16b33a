"""What every call of the API passes through, whatever answers it.

Here, and not in the API's library, because it must hold also for what the library never sees: an
address that is not there, a host that is not ours, a failure of the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import parse_http_date_safe

from papers.web import ratelimit
from papers.web.client_ip import get_client_ip, network_prefix
from papers.web.problems import PROBLEM_MEDIA_TYPE, problem_response
from papers.web.ratelimit import RateLimitResult

API_PATH = "/api/"
# For everybody who reads; one IPv4 address or one household's /64.
RATE_LIMIT = "120/minute"
# More than any call of this API has to say.
MAX_REQUEST_BYTES = 64 * 1024
# How old an answer may be, in seconds.
MAX_AGE_SECONDS = 60

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
CORS_EXPOSED_HEADERS = "ETag, Link, RateLimit, RateLimit-Policy, Retry-After"


def api_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    def pass_through(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API_PATH):
            return get_response(request)
        # Nobody is signed in here: what is behind neither reads a cookie nor sets one.
        request.META.pop("HTTP_COOKIE", None)
        response = handle_request(request, get_response)
        if request.method in SAFE_METHODS:  # by scripts of any site: it is public
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Expose-Headers"] = CORS_EXPOSED_HEADERS
        return response

    return pass_through


def handle_request(
    request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponseBase]
) -> HttpResponseBase:
    """Ask what is behind, if the caller may."""
    length = request.headers.get("content-length") or "0"
    if length.isdecimal() and int(length[:20]) > MAX_REQUEST_BYTES:
        return problem_response(413)
    if request.method == "OPTIONS":
        return options_response(as_problem(get_response(request)))
    verdict = ratelimit.hit(
        RATE_LIMIT,
        "api",
        network_prefix(get_client_ip(request), ipv4_prefix_length=32, ipv6_prefix_length=64),
    )
    if verdict.allowed:
        response = conditional_response(request, head_as_get(request, get_response))
    else:
        response = problem_response(429, rate_limit_message(verdict))
        response["Retry-After"] = str(verdict.retry_after_seconds)
    response["RateLimit-Policy"] = f'"default";q={verdict.limit};w={verdict.window_seconds}'
    response["RateLimit"] = f'"default";r={verdict.remaining};t={verdict.reset_after_seconds}'
    return response


def head_as_get(
    request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponseBase]
) -> HttpResponseBase:
    """HEAD is GET: the web server leaves the body out."""
    method = request.method
    if method == "HEAD":
        request.method = "GET"
    try:
        return as_problem(get_response(request))
    finally:
        request.method = method


def as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """A page that says that something is wrong becomes a problem that does."""
    if response.status_code < 400 or response.headers.get("Content-Type") == PROBLEM_MEDIA_TYPE:
        return response
    allowed = allowed_methods(response)
    if response.status_code == 405:
        said = problem_response(405, f"This can be asked for by {', '.join(allowed)} only.")
        said["Allow"] = ", ".join(allowed)
        return said
    return problem_response(response.status_code)


def allowed_methods(response: HttpResponseBase) -> list[str]:
    named = {each.strip() for each in response.headers.get("Allow", "").split(",")} - {""}
    return sorted(named | (SAFE_METHODS if "GET" in named else {"OPTIONS"}))


def options_response(response: HttpResponseBase) -> HttpResponseBase:
    """The answer to OPTIONS, also where a browser asks before a script may call."""
    if response.status_code != 405:
        return response
    answer = HttpResponse(status=204)
    answer["Allow"] = response["Allow"]
    answer["Access-Control-Allow-Methods"] = "GET, HEAD"
    answer["Access-Control-Allow-Headers"] = "If-None-Match, If-Modified-Since"
    answer["Access-Control-Max-Age"] = "86400"
    return answer


def conditional_response(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Tag what was answered, and do not send again what the caller has."""
    is_read = request.method in {"GET", "HEAD"} and response.status_code == 200
    if not is_read or not isinstance(response, HttpResponse):
        return response
    tag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response["ETag"] = tag
    patch_cache_control(response, public=True, max_age=MAX_AGE_SECONDS)
    changed = parse_http_date_safe(response.headers.get("Last-Modified", ""))
    answer = get_conditional_response(request, tag, changed, response)
    return as_problem(answer) if answer is not None else response


def rate_limit_message(result: RateLimitResult) -> str:
    return (
        f"Too many requests: {result.limit} in {result.window_seconds} seconds are allowed. "
        f"Ask again in {result.retry_after_seconds} seconds."
    )
