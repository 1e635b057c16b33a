"""Resolve the client's IP address behind trusted proxies."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def get_client_ip(request: HttpRequest) -> str:
    """Return the client's IP address, or "" if there is none (Unix domain socket).

    Each proxy appends the address of its caller to X-Forwarded-For. Only the last TRUSTED_PROXIES
    entries were written by our own proxies. Never use an entry to the left of them: the client
    can put anything there.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    hops = [hop.strip() for hop in forwarded if hop.strip()]
    caller = request.META.get("REMOTE_ADDR", "")
    hops.append(caller)
    client = hops[max(len(hops) - 1 - settings.TRUSTED_PROXIES, 0)]
    return str(parse_ip(client) or parse_ip(caller) or "")


def network_prefix(ip: str, *, ipv4_prefix_length: int = 24, ipv6_prefix_length: int = 48) -> str:
    """Return the network that contains the address, or "" if it is not an address.

    The default groups addresses that one party can switch between: a household usually has an
    IPv6 /64, an organisation a /48.
    """
    if not (address := parse_ip(ip)):
        return ""
    prefix_length = ipv4_prefix_length if address.version == 4 else ipv6_prefix_length
    return str(ip_network(f"{address}/{prefix_length}", strict=False))


def parse_ip(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in `text`, or None.

    Accepts what proxies write: a port, brackets, a zone id, IPv4 mapped into IPv6.
    """
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
