"""Where papers, topics and their feeds are found."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import PathConverter

from papers import feeds, views


class IdConverter(PathConverter):
    """An arXiv id, a DOI or a title's key; some hold a slash: math/0309136."""

    def to_python(self, value: str) -> str:
        if not value.isprintable():  # PostgreSQL refuses to look for a NUL
            raise ValueError("no such id")
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
