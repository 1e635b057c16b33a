"""Where a request comes from, so far as that can be believed."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def get_client_ip(request: HttpRequest) -> str:
    """The client's address; empty if it has none, as behind a socket file.

    Each proxy appends to X-Forwarded-For whom it was called by. What stands left of our own
    TRUSTED_PROXIES entries was written by the client, who may have written anything.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    hops = [each.strip() for each in forwarded if each.strip()]
    caller = request.META.get("REMOTE_ADDR", "")
    hops.append(caller)
    found = parse_ip(hops[max(len(hops) - 1 - settings.TRUSTED_PROXIES, 0)]) or parse_ip(caller)
    return str(found or "")


def network_prefix(ip: str, *, ipv4_prefix_length: int = 24, ipv6_prefix_length: int = 48) -> str:
    """The network an address is in: one household has a /64 to choose from, one site a /48."""
    if not (address := parse_ip(ip)):
        return ""
    bits = ipv4_prefix_length if address.version == 4 else ipv6_prefix_length
    return str(ip_network(f"{address}/{bits}", strict=False))


def parse_ip(text: str) -> IPv4Address | IPv6Address | None:
    """An address, also as proxies write it: with a port, in brackets, or IPv4 within IPv6."""
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
