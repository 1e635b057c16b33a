"""The registry of sources."""

from __future__ import annotations

from typing import Any

import pytest

from papers import checks
from papers.catalogue.precedence import SOURCE_PRIORITY
from papers.ingest import registry
from papers.sources.http import SourceClient


def test_an_unknown_source_is_an_error_that_lists_the_known_ones():
    with pytest.raises(registry.UnknownSourceError, match=r"no source 'x'. Known: huggingface"):
        registry.get_source("x")


def test_the_user_agent_names_the_site_and_its_operator(settings):
    settings.SITE_URL = "https://papers.example.org"
    settings.DEFAULT_FROM_EMAIL = "Papers <papers@example.org>"
    registry.user_agent.cache_clear()

    agent = registry.user_agent()

    registry.user_agent.cache_clear()
    assert agent.startswith("trending-papers/")
    assert agent.endswith(" (+https://papers.example.org; mailto:papers@example.org)")


def test_a_source_uses_the_given_timeout(settings: Any):
    settings.HUGGINGFACE_URL = "http://127.0.0.1:9"

    client = registry.get_source("huggingface", timeout_seconds=3).client  # type: ignore[attr-defined]

    assert (client.base_url, client.timeout_seconds) == ("http://127.0.0.1:9", 3)


@pytest.mark.parametrize("name", registry.SOURCES)
def test_every_source_has_a_priority_a_matching_name_and_a_url_setting(name, settings):
    assert name in SOURCE_PRIORITY
    assert registry.get_source(name).name == name
    assert hasattr(settings, registry.SOURCES[name].url_setting)


def test_a_system_check_reports_an_unknown_source(settings):
    settings.SOURCES = ["huggingface", "huggingfase"]

    [error] = checks.check_sources_exist()

    assert str(error.msg) == "SOURCES contains an unknown source: 'huggingfase'."


def test_a_system_check_warns_if_no_listing_source_is_enabled(settings):
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
def test_a_key_is_sent_in_the_header_of_the_source(settings, name, setting, header):
    assert header[0] not in client_for(name).headers

    setattr(settings, setting, "secret")

    assert client_for(name).headers[header[0]] == header[1]
    assert client_for(name).query == {}


def test_openalex_gets_its_key_in_the_query(settings):
    assert client_for("openalex").query == {}

    settings.OPENALEX_KEY = "secret"

    assert client_for("openalex").query == {"api_key": "secret"}
    assert "secret" not in str(client_for("openalex").headers)


def client_for(name: str) -> SourceClient:
    client = registry.get_source(name).client  # type: ignore[attr-defined]
    assert isinstance(client, SourceClient)
    return client
