"""URLs of papers, topics and their feeds."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import PathConverter

from papers import feeds, views


class IdConverter(PathConverter):
    """A paper's identity; it may contain slashes (math/0309136)."""

    def to_python(self, value: str) -> str:
        if not value.isprintable():  # PostgreSQL rejects NUL in a parameter
            raise ValueError("unprintable characters in a paper id")
        return value


register_converter(IdConverter, "identity")

app_name = "papers"

urlpatterns = [
    path("papers/", views.papers, name="papers"),
    path("papers/<identity:identity>/", views.paper, name="paper"),
    path("topics/", views.topics, name="topics"),
    path("topics/<slug:slug>/", views.topic, name="topic"),
    path("feeds/trending.xml", feeds.trending_feed, name="trending_feed"),
    path("feeds/<slug:slug>.xml", feeds.trending_feed, name="topic_feed"),
]
