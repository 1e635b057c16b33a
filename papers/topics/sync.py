"""The topics of topics.json as rows that readers can follow."""

from __future__ import annotations

import logging

from papers.models import Topic
from papers.topics import classifier

logger = logging.getLogger(__name__)


def sync_topics() -> dict[str, int]:
    """Make the rows equal to the file; slug to id of the file's topics.

    A topic that left the file stays, because readers may follow it; it gets no new papers. An
    operator who is sure deletes it in the admin.
    """
    known = {topic.slug: topic for topic in Topic.objects.all()}
    changed = [
        Topic(slug=rule.slug, name=rule.name, description=rule.description)
        for rule in classifier.load_rules()
        if not matches_rule(known.get(rule.slug), rule)
    ]
    if changed:
        Topic.objects.bulk_create(
            changed,
            update_conflicts=True,
            unique_fields=["slug"],
            update_fields=["name", "description"],
        )
        logger.info("topics: %d added or changed", len(changed))
        known = {topic.slug: topic for topic in Topic.objects.all()}
    return {rule.slug: known[rule.slug].pk for rule in classifier.load_rules()}


def matches_rule(topic: Topic | None, rule: classifier.TopicRule) -> bool:
    return topic is not None and (topic.name, topic.description) == (rule.name, rule.description)
