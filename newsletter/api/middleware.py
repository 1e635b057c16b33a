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
from papers.web.client_ip import client_ip, prefix_of
from papers.web.problems import MEDIA_TYPE, problem
from papers.web.ratelimit import Verdict

PATH = "/api/"
# For everybody who reads; one IPv4 address or one household's /64.
LIMIT = "120/minute"
# More than any call of this API has to say.
LARGEST = 64 * 1024
# How old an answer may be, in seconds.
FRESH_FOR = 60

READ = {"GET", "HEAD", "OPTIONS"}
SEEN_BY_SCRIPTS = "ETag, Link, RateLimit, RateLimit-Policy, Retry-After"


def api(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    def pass_through(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PATH):
            return get_response(request)
        # Nobody is signed in here: what is behind neither reads a cookie nor sets one.
        request.META.pop("HTTP_COOKIE", None)
        response = guarded(request, get_response)
        if request.method in READ:  # by scripts of any site: it is public
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Expose-Headers"] = SEEN_BY_SCRIPTS
        return response

    return pass_through


def guarded(
    request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponseBase]
) -> HttpResponseBase:
    """Ask what is behind, if the caller may."""
    length = request.headers.get("content-length") or "0"
    if length.isdecimal() and int(length[:20]) > LARGEST:
        return problem(413)
    if request.method == "OPTIONS":
        return methods_of(in_own_words(get_response(request)))
    verdict = ratelimit.allow(LIMIT, "api", prefix_of(client_ip(request), v4=32, v6=64))
    if verdict.allowed:
        response = unless_unchanged(request, as_get(request, get_response))
    else:
        response = problem(429, too_many(verdict))
        response["Retry-After"] = str(verdict.retry_after)
    response["RateLimit-Policy"] = f'"default";q={verdict.limit};w={verdict.window}'
    response["RateLimit"] = f'"default";r={verdict.remaining};t={verdict.reset_after}'
    return response


def as_get(
    request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponseBase]
) -> HttpResponseBase:
    """HEAD is GET: the web server leaves the body out."""
    method = request.method
    if method == "HEAD":
        request.method = "GET"
    try:
        return in_own_words(get_response(request))
    finally:
        request.method = method


def in_own_words(response: HttpResponseBase) -> HttpResponseBase:
    """A page that says that something is wrong becomes a problem that does."""
    if response.status_code < 400 or response.headers.get("Content-Type") == MEDIA_TYPE:
        return response
    allowed = methods(response)
    if response.status_code == 405:
        said = problem(405, f"This can be asked for by {', '.join(allowed)} only.")
        said["Allow"] = ", ".join(allowed)
        return said
    return problem(response.status_code)


def methods(response: HttpResponseBase) -> list[str]:
    named = {each.strip() for each in response.headers.get("Allow", "").split(",")} - {""}
    return sorted(named | (READ if "GET" in named else {"OPTIONS"}))


def methods_of(response: HttpResponseBase) -> HttpResponseBase:
    """The answer to OPTIONS, also where a browser asks before a script may call."""
    if response.status_code != 405:
        return response
    answer = HttpResponse(status=204)
    answer["Allow"] = response["Allow"]
    answer["Access-Control-Allow-Methods"] = "GET, HEAD"
    answer["Access-Control-Allow-Headers"] = "If-None-Match, If-Modified-Since"
    answer["Access-Control-Max-Age"] = "86400"
    return answer


def unless_unchanged(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Tag what was answered, and do not send again what the caller has."""
    is_read = request.method in {"GET", "HEAD"} and response.status_code == 200
    if not is_read or not isinstance(response, HttpResponse):
        return response
    tag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response["ETag"] = tag
    patch_cache_control(response, public=True, max_age=FRESH_FOR)
    changed = parse_http_date_safe(response.headers.get("Last-Modified", ""))
    answer = get_conditional_response(request, tag, changed, response)
    return in_own_words(answer) if answer is not None else response


def too_many(verdict: Verdict) -> str:
    return (
        f"Too many requests: {verdict.limit} in {verdict.window} seconds are allowed. "
        f"Ask again in {verdict.retry_after} seconds."
    )
