"""Editions, deliveries, and the provider reports about them."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.urls import reverse

from papers.models import Paper
from subscribers.models import Subscriber


class Edition(models.Model):
    """The ranking of one day, frozen when it was published."""

    date = models.DateField(unique=True)
    published_at = models.DateTimeField()
    # How many deliveries were ever opened; the receipt compares it with their states.
    opened = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.date.isoformat()

    def get_absolute_url(self) -> str:
        return reverse("newsletter:edition", args=[self.date.isoformat()])


class Entry(models.Model):
    """A paper's place in an edition, with the figures of that moment."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="entries")
    # A paper enters an edition once, so no reader is sent it twice.
    paper = models.OneToOneField(Paper, on_delete=models.PROTECT, related_name="entry")
    rank = models.PositiveSmallIntegerField()
    score = models.FloatField()
    upvotes = models.PositiveIntegerField()
    # Upvotes gained in the day before publication; None without an earlier reading.
    gain = models.IntegerField(null=True)
    comments = models.PositiveIntegerField(default=0)
    # The rank within each of its topics at that moment, by slug: {"robotics": 2}.
    topic_ranks = models.JSONField(default=dict)
    # The follows of any reader that it matched: ["author:noether e", "category:cs.RO"].
    matched = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "entries"
        constraints = (
            models.UniqueConstraint(fields=["edition", "rank"], name="one_entry_per_rank"),
        )

    def __str__(self) -> str:
        return f"{self.edition_id}: {self.rank}"


class Clicks(models.Model):
    """How often one link of an entry was followed on a day, by all readers together."""

    class LinkKind(models.TextChoices):
        PAGE = "page", "Our page of the paper"
        ARXIV = "arxiv", "arXiv"
        PDF = "pdf", "PDF"
        SOURCE = "source", "Its source"
        CODE = "code", "Code"
        PROJECT = "project", "Project"
        DISCUSSION = "discussion", "Discussion"

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="clicks")
    kind = models.CharField(max_length=16, choices=LinkKind)
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "clicks"
        constraints = (
            models.UniqueConstraint(
                fields=["entry", "kind", "day"], name="one_count_of_clicks_a_day"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["page", "arxiv", "pdf", "source", "code", "project", "discussion"]
                ),
                name="click_kind_is_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.count} × {self.kind} of entry {self.entry_id}"


class Batch(models.Model):
    """The deliveries that one worker claimed together; its id is the idempotency key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="batches")
    provider = models.CharField(max_length=32)
    claimed_at = models.DateTimeField()
    # Set when the outcome of every delivery is recorded.
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "batches"
        indexes = (
            models.Index(
                fields=["claimed_at"], condition=Q(finished_at__isnull=True), name="batch_open"
            ),
        )

    def __str__(self) -> str:
        return str(self.id)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def claimable(self, *, now: datetime) -> DeliveryQuerySet:
        """Return the deliveries that can be claimed now."""
        return self.filter(state=Delivery.State.PENDING).filter(
            Q(retry_at__isnull=True) | Q(retry_at__lte=now)
        )


class Delivery(models.Model):
    """One edition to one subscriber, from opening to what the provider reports about it."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting to be claimed"
        CLAIMED = "claimed", "Claimed by a worker"
        HANDED_OVER = "handed_over", "Accepted by the provider"
        FAILED = "failed", "Refused by the provider"
        SUPPRESSED = "suppressed", "The address is suppressed"
        CANCELLED = "cancelled", "Not sent, by the reader's choice"
        EXPIRED = "expired", "Too late to be sent"
        UNKNOWN = "unknown", "May or may not have reached the provider"

    class CancellationReason(models.TextChoices):
        """Why a delivery was cancelled."""

        LEFT = "left", "The reader left"
        NO_MATCH = "no_match", "No paper that the reader follows"
        TOO_FEW = "too_few", "Fewer papers than the reader's minimum"
        PAUSED = "paused", "The reader has paused"

    class Event(models.TextChoices):
        """The furthest stage that the provider has reported."""

        DEFERRED = "deferred", "Deferred"
        DELIVERED = "delivered", "Delivered"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Complained"

    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="deliveries")
    # None after the reader was erased: the receipt of the edition must still balance.
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.SET_NULL, null=True, related_name="deliveries"
    )
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    reason = models.CharField(max_length=16, choices=CancellationReason, blank=True)
    opened_at = models.DateTimeField()
    # The digest covers the editions after this date, up to its own.
    after = models.DateField()
    # The date in the reader's time zone; None for one that an operator opened.
    local_date = models.DateField(null=True, blank=True)
    expires_at = models.DateTimeField()
    retry_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, null=True, blank=True, related_name="deliveries"
    )
    # Set before the provider is called: without it the message was certainly not sent.
    attempted_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=255, blank=True)
    error = models.CharField(max_length=500, blank=True)
    event = models.CharField(max_length=16, choices=Event, blank=True)
    event_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = (
            models.UniqueConstraint(
                fields=["edition", "subscriber"], name="one_delivery_per_edition_and_subscriber"
            ),
            models.UniqueConstraint(
                fields=["subscriber", "local_date"], name="one_digest_per_local_date"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "pending",
                        "claimed",
                        "handed_over",
                        "failed",
                        "suppressed",
                        "cancelled",
                        "expired",
                        "unknown",
                    ]
                ),
                name="delivery_state_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="pending")
                | Q(batch__isnull=True, attempted_at__isnull=True, settled_at__isnull=True),
                name="pending_delivery_is_untouched",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["claimed", "unknown"]) | Q(batch__isnull=False),
                name="claimed_delivery_has_a_batch",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["handed_over", "unknown"]) | Q(attempted_at__isnull=False),
                name="handed_over_delivery_was_attempted",
            ),
            models.CheckConstraint(
                condition=Q(state="cancelled") & ~Q(reason="") | ~Q(state="cancelled"),
                name="cancelled_delivery_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(reason__in=["", "left", "no_match", "too_few", "paused"]),
                name="delivery_reason_is_known",
            ),
        )
        indexes = (
            models.Index(fields=["edition", "state"], name="delivery_by_state"),
            models.Index(
                fields=["edition", "id"], condition=Q(state="pending"), name="delivery_pending"
            ),
            models.Index(
                fields=["message_id"], condition=~Q(message_id=""), name="delivery_message_id"
            ),
        )

    def __str__(self) -> str:
        return f"#{self.pk} ({self.state})"


class ProviderReport(models.Model):
    """One webhook request as received; deleted after 30 days."""

    # As in the URL: postmark for /webhooks/postmark/tracking/.
    provider = models.CharField(max_length=32)
    received_at = models.DateTimeField()
    content_type = models.CharField(max_length=255, blank=True)
    # The few that parsing it again needs; never credentials.
    headers = models.JSONField(default=dict)
    # Empty after somebody it names was erased.
    body = models.BinaryField()
    # SHA-256 of provider, content type and body in hex: a repeated request is not stored.
    digest = models.CharField(max_length=64, unique=True)
    # When to process it, for the first time or again; None when it is finished.
    next_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=100, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["received_at"], name="report_by_age"),
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="report_due"),
        )

    def __str__(self) -> str:
        return f"#{self.pk} ({self.provider})"


class ProviderEvent(models.Model):
    """One event of a report, and whether it was applied."""

    class ProcessingState(models.TextChoices):
        NEW = "new", "Not processed yet"
        WAITING = "waiting", "Its delivery is not known yet, or still being sent"
        DONE = "done", "Applied"
        UNMATCHED = "unmatched", "Matches no delivery"
        DUPLICATE = "duplicate", "Reported before"

    report = models.ForeignKey(ProviderReport, on_delete=models.CASCADE, related_name="events")
    # Its place in the report.
    position = models.PositiveIntegerField()
    # The deduplication key (newsletter/events/reports.py).
    key = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=ProcessingState, default=ProcessingState.NEW)
    # Anymail's event type.
    kind = models.CharField(max_length=32)
    event_id = models.CharField(max_length=255, blank=True)
    message_id = models.CharField(max_length=255, blank=True)
    happened_at = models.DateTimeField()
    # Hashed as in Suppression; empty if the event names no address.
    recipient_hash = models.CharField(max_length=64, blank=True)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.SET_NULL, null=True, blank=True, related_name="events"
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["new", "waiting", "done", "unmatched", "duplicate"]),
                name="event_state_is_known",
            ),
            models.UniqueConstraint(fields=["report", "position"], name="one_event_per_position"),
            models.UniqueConstraint(
                fields=["key"], condition=~Q(state="duplicate"), name="one_event_per_key"
            ),
        )
        indexes = (
            models.Index(
                fields=["recipient_hash"],
                condition=~Q(recipient_hash=""),
                name="event_by_recipient",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"
