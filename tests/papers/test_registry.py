"""The sources that there are."""

from __future__ import annotations

from typing import Any

import pytest

from papers import checks, registry
from papers.precedence import BELIEVED


def test_an_unknown_source_is_said():
    with pytest.raises(registry.UnknownSource, match=r"no source 'x'. Known: huggingface"):
        registry.source_named("x")


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

    client = registry.source_named("huggingface", patience=3).client  # type: ignore[attr-defined]

    assert (client.base_url, client.patience) == ("http://127.0.0.1:9", 3)


@pytest.mark.parametrize("name", registry.SOURCES)
def test_every_source_is_named_in_the_order_of_belief_and_knows_its_own_name(name, settings):
    assert name in BELIEVED
    assert registry.source_named(name).name == name
    assert hasattr(settings, registry.SOURCES[name].address)


def test_a_source_that_is_not_there_is_said_at_the_start(settings):
    settings.SOURCES = ["huggingface", "huggingfase"]

    [error] = checks.sources_are_known()

    assert str(error.msg) == "SOURCES names 'huggingfase', and there is no such source."


def test_without_a_list_of_what_is_new_nothing_would_trend(settings):
    settings.SOURCES = ["huggingface"]
    assert checks.something_is_listed() == []

    settings.SOURCES = []
    assert [warning.id for warning in checks.something_is_listed()] == ["papers.W001"]
