"""Middleware of the API: size limit, rate limit, CORS, ETags and problem responses.

It is not part of the django-ninja API because it must also handle what never gets there: unknown
paths, disallowed hosts, database errors. Requests outside /api/ pass through unchanged.
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
# Per client: an IPv4 address or an IPv6 /64, which is usually one household.
RATE_LIMIT = "120/minute"
# More than any request to this API needs.
MAX_REQUEST_BYTES = 64 * 1024
# How long caches may keep a response.
MAX_AGE_SECONDS = 60

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
CORS_EXPOSED_HEADERS = "ETag, Link, RateLimit, RateLimit-Policy, Retry-After"


def api_middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API_PATH):
            return get_response(request)
        # The API is anonymous. Without cookies no view can read a session or vary on one.
        request.META.pop("HTTP_COOKIE", None)
        response = handle_request(request, get_response)
        if request.method in SAFE_METHODS:  # public data: scripts of any site may read it
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Expose-Headers"] = CORS_EXPOSED_HEADERS
        return response

    return middleware


def handle_request(
    request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponseBase]
) -> HttpResponseBase:
    """Apply the size limit and the rate limit, then get the response or a problem."""
    length = request.headers.get("content-length") or "0"
    if length.isdecimal() and int(length[:20]) > MAX_REQUEST_BYTES:
        return problem_response(413)
    if request.method == "OPTIONS":
        return options_response_from_405(as_problem(get_response(request)))
    rate_limit = ratelimit.hit(
        RATE_LIMIT,
        "api",
        network_prefix(get_client_ip(request), ipv4_prefix_length=32, ipv6_prefix_length=64),
    )
    if rate_limit.allowed:
        response = conditional_response(request, head_as_get(request, get_response))
    else:
        response = problem_response(429, rate_limit_message(rate_limit))
        response["Retry-After"] = str(rate_limit.retry_after_seconds)
    response["RateLimit-Policy"] = f'"default";q={rate_limit.limit};w={rate_limit.window_seconds}'
    response["RateLimit"] = f'"default";r={rate_limit.remaining};t={rate_limit.reset_after_seconds}'
    return response


def head_as_get(
    request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponseBase]
) -> HttpResponseBase:
    """Handle HEAD as GET, so that its headers are the same; the web server drops the body."""
    method = request.method
    if method == "HEAD":
        request.method = "GET"
    try:
        return as_problem(get_response(request))
    finally:
        request.method = method


def as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """Replace an error page by a problem; return any other response unchanged."""
    if response.status_code < 400 or response.headers.get("Content-Type") == PROBLEM_MEDIA_TYPE:
        return response
    allowed = allowed_methods(response)
    if response.status_code == 405:
        problem = problem_response(405, f"Method not allowed. Use {', '.join(allowed)}.")
        problem["Allow"] = ", ".join(allowed)
        return problem
    return problem_response(response.status_code)


def allowed_methods(response: HttpResponseBase) -> list[str]:
    """Return the methods in Allow, with those that this middleware adds."""
    methods = {method.strip() for method in response.headers.get("Allow", "").split(",")} - {""}
    return sorted(methods | (SAFE_METHODS if "GET" in methods else {"OPTIONS"}))


def options_response_from_405(response: HttpResponseBase) -> HttpResponseBase:
    """Turn the view's 405 into an answer to OPTIONS, which includes CORS preflights."""
    if response.status_code != 405:
        return response
    preflight = HttpResponse(status=204)
    preflight["Allow"] = response["Allow"]
    preflight["Access-Control-Allow-Methods"] = "GET, HEAD"
    preflight["Access-Control-Allow-Headers"] = "If-None-Match, If-Modified-Since"
    preflight["Access-Control-Max-Age"] = "86400"
    return preflight


def conditional_response(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Add an ETag, and answer 304 or 412 if the request's conditions ask for it."""
    is_cacheable = request.method in {"GET", "HEAD"} and response.status_code == 200
    if not is_cacheable or not isinstance(response, HttpResponse):
        return response
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response["ETag"] = etag
    patch_cache_control(response, public=True, max_age=MAX_AGE_SECONDS)
    last_modified = parse_http_date_safe(response.headers.get("Last-Modified", ""))
    conditional = get_conditional_response(request, etag, last_modified, response)
    return as_problem(conditional) if conditional is not None else response


def rate_limit_message(result: RateLimitResult) -> str:
    return (
        f"Too many requests: the limit is {result.limit} in {result.window_seconds} seconds. "
        f"Try again in {result.retry_after_seconds} seconds."
    )
