"""papers/web/client_ip.py"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from papers.web.client_ip import get_client_ip, network_prefix


def asked_by(caller: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return get_client_ip(RequestFactory().get("/", headers=headers, REMOTE_ADDR=caller))


def test_without_a_proxy_what_a_client_says_of_itself_is_not_believed() -> None:
    assert asked_by("198.51.100.7", "203.0.113.1, 203.0.113.2") == "198.51.100.7"


@pytest.mark.parametrize(
    ("proxies", "found"),
    [(1, "203.0.113.3"), (2, "203.0.113.2"), (3, "203.0.113.1"), (9, "203.0.113.1")],
)
def test_as_many_entries_are_passed_over_as_there_are_proxies(
    settings: Any, proxies: int, found: str
) -> None:
    settings.TRUSTED_PROXIES = proxies

    assert asked_by("10.0.0.1", "203.0.113.1, 203.0.113.2,203.0.113.3") == found


@pytest.mark.parametrize("forwarded", [None, "", " , ", "unknown", "me\x00", "é", "1.2.3"])
def test_a_header_that_names_no_address_leaves_the_caller(settings: Any, forwarded: str) -> None:
    settings.TRUSTED_PROXIES = 1

    assert asked_by("10.0.0.1", forwarded) == "10.0.0.1"


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("203.0.113.1:4711", "203.0.113.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_has_one_way_to_be_written(settings: Any, written: str, found: str) -> None:
    settings.TRUSTED_PROXIES = 1

    assert asked_by("10.0.0.1", written) == found


def test_behind_a_socket_file_there_is_no_address() -> None:
    assert (asked_by(""), network_prefix("")) == ("", "")


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
def test_an_address_is_in_a_network(ip: str, network: str) -> None:
    assert network_prefix(ip) == network


def test_how_large_the_network_is_may_be_said() -> None:
    assert network_prefix("2001:db8:1:2:3::4", ipv6_prefix_length=64) == "2001:db8:1:2::/64"
    assert network_prefix("203.0.113.77", ipv4_prefix_length=32) == "203.0.113.77/32"
