"""papers/web/client_ip.py"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from papers.web.client_ip import get_client_ip, network_prefix


def client_ip_of(caller: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return get_client_ip(RequestFactory().get("/", headers=headers, REMOTE_ADDR=caller))


def test_without_trusted_proxies_the_forwarded_header_is_ignored() -> None:
    assert client_ip_of("198.51.100.7", "203.0.113.1, 203.0.113.2") == "198.51.100.7"


@pytest.mark.parametrize(
    ("proxies", "expected"),
    [(1, "203.0.113.3"), (2, "203.0.113.2"), (3, "203.0.113.1"), (9, "203.0.113.1")],
)
def test_the_entry_before_the_trusted_proxies_is_the_client(
    settings: Any, proxies: int, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert client_ip_of("10.0.0.1", "203.0.113.1, 203.0.113.2,203.0.113.3") == expected


@pytest.mark.parametrize("forwarded", [None, "", " , ", "unknown", "me\x00", "é", "1.2.3"])
def test_a_header_without_an_address_falls_back_to_the_caller(
    settings: Any, forwarded: str
) -> None:
    settings.TRUSTED_PROXIES = 1

    assert client_ip_of("10.0.0.1", forwarded) == "10.0.0.1"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("203.0.113.1:4711", "203.0.113.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_addresses_are_normalised(settings: Any, written: str, expected: str) -> None:
    settings.TRUSTED_PROXIES = 1

    assert client_ip_of("10.0.0.1", written) == expected


def test_a_unix_socket_has_no_client_address() -> None:
    assert (client_ip_of(""), network_prefix("")) == ("", "")


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("nonsense", ""),
    ],
)
def test_the_default_prefix_lengths_are_24_and_48(ip: str, network: str) -> None:
    assert network_prefix(ip) == network


def test_prefix_lengths_can_be_passed() -> None:
    assert network_prefix("2001:db8:1:2:3::4", ipv6_prefix_length=64) == "2001:db8:1:2::/64"
    assert network_prefix("203.0.113.77", ipv4_prefix_length=32) == "203.0.113.77/32"
