"""Parse the rate limits in the headers of a response.

Pure, except that a reset time without a Date header is compared with our clock.
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime

import requests

# No source has a quota for longer than a day.
MAX_RETRY_AFTER_SECONDS = 86_400.0


def parse_retry_after(response: requests.Response) -> float | None:
    """Return the seconds to wait before the next call, or None if none is stated.

    Reads Retry-After, and the headers that Hugging Face (RateLimit) and GitHub (X-RateLimit-Reset)
    send instead.
    """
    if retry_after := response.headers.get("Retry-After", "").strip():
        return parse_retry_after_header(retry_after, response.headers.get("Date", ""))
    reset = re.search(r"\bt=(\d{1,6})", response.headers.get("RateLimit", ""))
    if response.status_code == requests.codes.too_many_requests and reset:
        return float(reset.group(1))
    return seconds_until_reset(response)


def parse_retry_after_header(retry_after: str, server_date: str) -> float | None:
    """Return the seconds of either form of the header: a number or a date."""
    if retry_after.isdecimal():
        return float(retry_after[:6])
    # Compare with the server's own clock: ours may be wrong.
    try:
        wait = parsedate_to_datetime(retry_after) - parsedate_to_datetime(server_date)
    except (TypeError, ValueError):
        return None
    return max(wait.total_seconds(), 0.0)


def seconds_until_reset(response: requests.Response) -> float | None:
    """Return the seconds until the quota is reset, or None unless it is used up."""
    reset = response.headers.get("X-RateLimit-Reset", "")
    used_up = response.headers.get("X-RateLimit-Remaining") == "0"
    if response.status_code == requests.codes.ok or not used_up or not reset.isdecimal():
        return None
    # A Unix timestamp, as GitHub sends it, or seconds from now, as others do.
    seconds = float(reset[:12])
    if seconds > MAX_RETRY_AFTER_SECONDS:
        seconds -= server_timestamp(response)
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def server_timestamp(response: requests.Response) -> float:
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (TypeError, ValueError):
        return time.time()


def is_rate_limited(response: requests.Response) -> bool:
    """Return whether a 403 is temporary: then the response states how long to wait."""
    return (
        response.status_code == requests.codes.forbidden and parse_retry_after(response) is not None
    )
