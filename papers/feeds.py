"""Atom feeds of trending papers, overall and per topic."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import format_html
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from papers.models import Paper, Topic

MAX_ITEMS = 30
# Characters that XML cannot represent.
INVALID_XML_CHARS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class AtomFeed(Atom1Feed):
    def latest_post_date(self) -> datetime:
        """Return the newest date; in an empty feed, the start of today.

        The default for an empty feed is the current time, with which its ETag would never match.
        """
        if self.items:
            return super().latest_post_date()
        return datetime.combine(timezone.now().date(), time(), UTC)


class TrendingFeed(Feed):  # type: ignore[type-arg]  # not generic at run time
    """The trending papers of one topic or of all; every URL is built from SITE_URL."""

    feed_type = AtomFeed
    author_name = settings.SITE_NAME
    language = "en"

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Topic | None:
        return get_object_or_404(Topic, slug=kwargs["slug"]) if kwargs else None

    def title(self, topic: Topic | None) -> str:
        return (
            f"{settings.SITE_NAME}: {strip_invalid_xml(topic.name)}"
            if topic
            else settings.SITE_NAME
        )

    def subtitle(self, topic: Topic | None) -> str:
        return (
            strip_invalid_xml(topic.description)
            if topic
            else "The research papers that people are talking about."
        )

    def link(self, topic: Topic | None) -> str:
        return settings.SITE_URL + (topic.get_absolute_url() if topic else "/")

    def feed_url(self, topic: Topic | None) -> str:
        name, slug = ("topic_feed", [topic.slug]) if topic else ("trending_feed", [])
        return settings.SITE_URL + reverse(f"papers:{name}", args=slug)

    def items(self, topic: Topic | None) -> list[Paper]:
        papers = topic.papers.all() if topic else Paper.objects.all()
        today = timezone.now().date()
        return list(papers.trending(on=today).with_topics()[:MAX_ITEMS])

    def item_title(self, item: Paper) -> str:
        return strip_invalid_xml(item.title)

    def item_description(self, item: Paper) -> str:
        return format_html("<p>{}</p>", strip_invalid_xml(item.abstract))

    def item_link(self, item: Paper) -> str:
        return settings.SITE_URL + item.get_absolute_url()

    def item_guid(self, item: Paper) -> str:
        """Return a tag URI: the same in every feed, and stable if URLs change."""
        return f"tag:{settings.SITE_HOST},2026:paper/{quote(item.identity)}"

    def item_author_name(self, item: Paper) -> str | None:
        return strip_invalid_xml(item.byline) or None

    def item_categories(self, item: Paper) -> list[str]:
        return [name for topic in item.topics.all() if (name := strip_invalid_xml(topic.name))]

    def item_pubdate(self, item: Paper) -> datetime:
        return datetime.combine(item.sort_date, time(), UTC)

    def item_updateddate(self, item: Paper) -> datetime:
        return max(item.added_at, self.item_pubdate(item))


def strip_invalid_xml(text: str) -> str:
    return INVALID_XML_CHARS.sub("", text)


# Feed readers poll every few minutes for years: allow caching and conditional requests.
trending_feed = require_safe(
    cache_control(public=True, max_age=600)(conditional_page(TrendingFeed()))
)
