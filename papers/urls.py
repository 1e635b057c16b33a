"""Where papers, topics and their feeds are found."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import PathConverter

from papers import feeds, views


class IdConverter(PathConverter):
    """An arXiv id; an old one holds a slash: math/0309136."""

    def to_python(self, value: str) -> str:
        if not value.isprintable():  # PostgreSQL refuses to look for a NUL
            raise ValueError("no such id")
        return value


register_converter(IdConverter, "arxiv_id")

app_name = "papers"

urlpatterns = [
    path("papers/", views.papers, name="papers"),
    path("papers/<arxiv_id:arxiv_id>/", views.paper, name="paper"),
    path("topics/", views.topics, name="topics"),
    path("topics/<slug:slug>/", views.topic, name="topic"),
    path("feeds/trending.xml", feeds.trending, name="trending_feed"),
    path("feeds/<slug:slug>.xml", feeds.trending, name="topic_feed"),
]
