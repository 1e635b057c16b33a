"""The sources that there are."""

from __future__ import annotations

from typing import Any

import pytest

from papers import checks
from papers.catalogue.precedence import SOURCE_PRIORITY
from papers.ingest import registry
from papers.sources.http import SourceClient


def test_an_unknown_source_is_said():
    with pytest.raises(registry.UnknownSourceError, match=r"no source 'x'. Known: huggingface"):
        registry.get_source("x")


def test_the_site_says_who_it_is(settings):
    settings.SITE_URL = "https://papers.example.org"
    settings.DEFAULT_FROM_EMAIL = "Papers <papers@example.org>"
    registry.user_agent.cache_clear()

    agent = registry.user_agent()

    registry.user_agent.cache_clear()
    assert agent.startswith("trending-papers/")
    assert agent.endswith(" (+https://papers.example.org; mailto:papers@example.org)")


def test_a_source_has_the_patience_it_is_given(settings: Any):
    settings.HUGGINGFACE_URL = "http://127.0.0.1:9"

    client = registry.get_source("huggingface", timeout_seconds=3).client  # type: ignore[attr-defined]

    assert (client.base_url, client.timeout_seconds) == ("http://127.0.0.1:9", 3)


@pytest.mark.parametrize("name", registry.SOURCES)
def test_every_source_is_named_in_the_order_of_belief_and_knows_its_own_name(name, settings):
    assert name in SOURCE_PRIORITY
    assert registry.get_source(name).name == name
    assert hasattr(settings, registry.SOURCES[name].url_setting)


def test_a_source_that_is_not_there_is_said_at_the_start(settings):
    settings.SOURCES = ["huggingface", "huggingfase"]

    [error] = checks.check_sources_exist()

    assert str(error.msg) == "SOURCES contains an unknown source: 'huggingfase'."


def test_without_a_list_of_what_is_new_nothing_would_trend(settings):
    settings.SOURCES = ["huggingface"]
    assert checks.check_listing_source_enabled() == []

    settings.SOURCES = []
    assert [warning.id for warning in checks.check_listing_source_enabled()] == ["papers.W001"]


@pytest.mark.parametrize(
    ("name", "setting", "header"),
    [
        ("semanticscholar", "SEMANTIC_SCHOLAR_KEY", ("x-api-key", "secret")),
        ("github", "GITHUB_TOKEN", ("Authorization", "Bearer secret")),
    ],
)
def test_a_key_goes_in_the_header_that_the_source_wants(settings, name, setting, header):
    assert header[0] not in client_of(name).session.headers

    setattr(settings, setting, "secret")

    assert client_of(name).session.headers[header[0]] == header[1]
    assert client_of(name).query == {}


def test_a_key_goes_into_the_address_where_the_source_wants_it_there(settings):
    assert client_of("openalex").query == {}

    settings.OPENALEX_KEY = "secret"

    assert client_of("openalex").query == {"api_key": "secret"}
    assert "secret" not in str(client_of("openalex").session.headers)


def client_of(name: str) -> SourceClient:
    client = registry.get_source(name).client  # type: ignore[attr-defined]
    assert isinstance(client, SourceClient)
    return client
