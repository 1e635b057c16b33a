"""Readers' choices: topic attitudes, follows and votes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from papers.models import Paper, Topic


class TopicChoice(models.Model):
    """A reader's attitude to one topic. No row means no preference."""

    class Attitude(models.TextChoices):
        FOLLOW = "follow", "Follow"
        PREFER = "prefer", "Prefer"  # followed, with a higher weight
        MUTE = "mute", "Mute"  # hides the paper, even if another topic matches

    preferences = models.ForeignKey(
        "subscribers.Preferences", on_delete=models.CASCADE, related_name="topic_choices"
    )
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="choices")
    attitude = models.CharField(max_length=16, choices=Attitude, default=Attitude.FOLLOW)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["preferences", "topic"], name="one_attitude_to_each_topic"
            ),
            models.CheckConstraint(
                condition=Q(attitude__in=["follow", "prefer", "mute"]), name="attitude_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.attitude} topic {self.topic_id}"


Attitude = TopicChoice.Attitude


class Follow(models.Model):
    """An author, category or phrase that a reader follows."""

    class FollowKind(models.TextChoices):
        AUTHOR = "author", "Author"
        CATEGORY = "category", "arXiv category"
        KEYWORD = "keyword", "Keyword or phrase"

    subscriber = models.ForeignKey(
        "subscribers.Subscriber", on_delete=models.CASCADE, related_name="follows"
    )
    kind = models.CharField(max_length=16, choices=FollowKind)
    # The normalised form that papers are matched by (papers/topics/follows.py). For an author it
    # keeps the whole given name: "noether emmy".
    key = models.CharField(max_length=200)
    # What the reader typed.
    label = models.CharField(max_length=200)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["subscriber", "kind", "key"], name="nothing_is_followed_twice"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["author", "category", "keyword"]), name="follow_kind_is_known"
            ),
            models.CheckConstraint(condition=~Q(key="") & ~Q(label=""), name="follow_is_something"),
        )
        indexes = (models.Index(fields=["kind", "key"], name="follow_by_key"),)

    def __str__(self) -> str:
        return f"{self.kind} of #{self.subscriber_id}"


class Vote(models.Model):
    """A reader's latest vote on one paper."""

    class Verb(models.TextChoices):
        MORE = "more", "More like this"
        LESS = "less", "Less like this"

    subscriber = models.ForeignKey(
        "subscribers.Subscriber", on_delete=models.CASCADE, related_name="votes"
    )
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="votes")
    verb = models.CharField(max_length=16, choices=Verb)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["subscriber", "paper"], name="one_vote_of_a_reader_on_a_paper"
            ),
            models.CheckConstraint(
                condition=Q(verb__in=["more", "less"]), name="vote_verb_is_known"
            ),
        )

    def __str__(self) -> str:
        return f"#{self.subscriber_id}: {self.verb} like paper {self.paper_id}"
