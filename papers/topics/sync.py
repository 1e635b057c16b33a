"""Copy the topics of topics.json into the database, where readers can follow them."""

from __future__ import annotations

import logging

from papers.models import Topic
from papers.topics import rules

logger = logging.getLogger(__name__)


def sync_topics() -> dict[str, int]:
    """Insert or update a row for each topic in the file; return the ids by slug.

    A repeat changes nothing, and costs one query. A topic that was removed from the file keeps its
    row, because readers may follow it, but gets no new papers. Operators can delete it in the
    admin.
    """
    topics = {topic.slug: topic for topic in Topic.objects.all()}
    changed = [
        Topic(slug=rule.slug, name=rule.name, description=rule.description)
        for rule in rules.load_rules()
        if not matches_rule(topics.get(rule.slug), rule)
    ]
    if changed:
        Topic.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["slug"],
            update_fields=["name", "description"],
        )
        logger.info("topics: %d added or changed", len(changed))
        topics = {topic.slug: topic for topic in Topic.objects.all()}
    return {rule.slug: topics[rule.slug].pk for rule in rules.load_rules()}


def matches_rule(topic: Topic | None, rule: rules.TopicRule) -> bool:
    return topic is not None and (topic.name, topic.description) == (rule.name, rule.description)
