"""Subscribers and their preferences."""

from __future__ import annotations

import logging
import uuid
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import models, transaction
from django.db.models import Q

from papers.models import Topic
from subscribers import send_time
from subscribers.models.choices import TopicChoice

logger = logging.getLogger(__name__)

MIN_DIGEST_PAPERS, DEFAULT_DIGEST_PAPERS, MAX_DIGEST_PAPERS = 3, 8, 20
DEFAULT_DIGEST_HOUR = 7


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def mailable(self) -> SubscriberQuerySet:
        """Return the subscribers to whom a digest may be sent."""
        return self.filter(status=Subscriber.Status.ACTIVE)

    def awaiting_confirmation_mail(self) -> SubscriberQuerySet:
        """Return the subscribers whose confirmation mail is still to be sent."""
        return self.filter(confirmation_requested_at__isnull=False).exclude(
            status=Subscriber.Status.LEFT
        )


class Subscriber(models.Model):
    """One address and its status."""

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting to confirm"
        ACTIVE = "active", "Active"
        LEFT = "left", "Left"

    class LeftReason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        UNREACHABLE = "unreachable", "Repeated bounces"
        BOUNCED = "bounced", "Address does not exist"
        COMPLAINED = "complained", "Reported as spam"

    # Identifies the subscriber in signed links. Unlike a primary key it is never reused, and it
    # reveals nothing.
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(unique=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    left_reason = models.CharField(max_length=16, choices=LeftReason, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    # When they last undid leaving by pressing a button: earlier provider events are ignored.
    rejoined_at = models.DateTimeField(null=True, blank=True)
    # When a mail was last reported as delivered (subscribers/bounces.py).
    delivered_at = models.DateTimeField(null=True, blank=True)

    # When somebody signed up with this address; None again once the confirmation mail was sent.
    confirmation_requested_at = models.DateTimeField(null=True, blank=True)
    confirmation_sent_at = models.DateTimeField(null=True, blank=True)
    # Confirmation mails sent lately, limited by subscribers/signup/confirmations.py.
    confirmation_count = models.PositiveSmallIntegerField(default=0)
    # Part of the confirmation link. Using the link renews it, so each link works only once.
    confirmation_nonce = models.UUIDField(default=uuid.uuid4, editable=False)

    # When the next digest is due, in UTC; None if no digest is due.
    next_digest_at = models.DateTimeField(null=True, blank=True)
    # The local date of the latest digest: a reader gets at most one per local date.
    last_digest_on = models.DateField(null=True, blank=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=["pending", "active", "left"]),
                name="subscriber_status_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(confirmed_at__isnull=False),
                name="active_subscriber_has_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(status="left", left_at__isnull=False) & ~Q(left_reason="")
                | ~Q(status="left") & Q(left_at__isnull=True, left_reason=""),
                name="left_subscriber_has_a_reason_and_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(status="active") | Q(next_digest_at__isnull=True),
                name="only_active_subscribers_are_due",
            ),
        )
        indexes = (
            models.Index(
                fields=["next_digest_at", "id"],
                condition=Q(next_digest_at__isnull=False),
                name="subscriber_due",
            ),
            models.Index(
                fields=["confirmation_requested_at"],
                condition=Q(confirmation_requested_at__isnull=False),
                name="subscriber_waiting",
            ),
            # Finds unconfirmed sign-ups to delete (subscribers/signup/unconfirmed.py).
            models.Index(
                fields=["created_at"],
                condition=Q(confirmed_at__isnull=True),
                name="subscriber_unconfirmed",
            ),
            models.Index(
                fields=["confirmation_sent_at"],
                condition=Q(status="pending"),
                name="subscriber_pending",
            ),
        )

    def __str__(self) -> str:
        return f"#{self.pk} ({self.status})"

    @property
    def is_mailable(self) -> bool:
        """Whether a digest may be sent; the same condition as `mailable()`."""
        return self.status == self.Status.ACTIVE

    def is_due(self, now: datetime) -> bool:
        return self.next_digest_at is not None and self.next_digest_at <= now

    @transaction.atomic
    def reschedule_digest(self, now: datetime) -> None:
        """Compute `next_digest_at` from the stored preferences, and save it. Safe to repeat.

        Reads the row and its preferences afresh, so that unsaved or stale copies do not matter.
        A subscriber who is not mailable gets None.
        """
        # Locked, because `dispatch` may be rescheduling the same subscriber.
        row = Subscriber.objects.select_for_update().get(pk=self.pk)
        preferences = Preferences.objects.get(subscriber=row)
        # Do not skip a digest that is already due and waits for its edition.
        after = min(now, row.next_digest_at or now)
        next_digest_at = (
            preferences.next_digest_at(after=after, last_digest_date=row.last_digest_on)
            if row.is_mailable
            else None
        )
        self.next_digest_at = row.next_digest_at = next_digest_at
        row.save(update_fields=["next_digest_at"])


class Preferences(models.Model):
    """What one reader's digests contain, and when they are sent."""

    class Frequency(models.TextChoices):
        DAILY = "daily", "Every day"
        WEEKDAYS = "weekdays", "Monday to Friday"
        WEEKLY = "weekly", "Once a week"

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    class Detail(models.TextChoices):
        TITLES = "titles", "Titles only"
        SHORT = "short", "The beginning of each abstract"
        FULL = "full", "Full abstracts"

    subscriber = models.OneToOneField(
        Subscriber, on_delete=models.CASCADE, related_name="preferences"
    )
    # All topics with an attitude, muted ones too. A reader who follows nothing at all (no topic and
    # no `Follow`) gets papers of every topic.
    topics = models.ManyToManyField(
        Topic, through=TopicChoice, related_name="chosen_by", blank=True
    )
    length = models.PositiveSmallIntegerField(default=DEFAULT_DIGEST_PAPERS)
    detail = models.CharField(max_length=16, choices=Detail, default=Detail.SHORT)
    # With fewer matching papers there is no digest that day; the papers wait for the next one.
    minimum = models.PositiveSmallIntegerField(default=1)
    frequency = models.CharField(max_length=16, choices=Frequency, default=Frequency.DAILY)
    # Used only if `frequency` is weekly.
    weekday = models.PositiveSmallIntegerField(choices=Weekday, default=Weekday.MONDAY)
    hour = models.PositiveSmallIntegerField(default=DEFAULT_DIGEST_HOUR)
    timezone = models.CharField(max_length=64, default="UTC")
    # The first local date on which digests are sent again; None without a pause.
    paused_until = models.DateField(null=True, blank=True)
    # Whether votes change the order of papers (subscribers/preferences/learning.py).
    learning = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "preferences"
        constraints = (
            models.CheckConstraint(
                condition=Q(length__gte=MIN_DIGEST_PAPERS, length__lte=MAX_DIGEST_PAPERS),
                name="digest_length_is_in_range",
            ),
            models.CheckConstraint(
                condition=Q(minimum__gte=1, minimum__lte=MAX_DIGEST_PAPERS),
                name="minimum_of_papers_is_in_range",
            ),
            models.CheckConstraint(
                condition=Q(detail__in=["titles", "short", "full"]), name="detail_is_known"
            ),
            models.CheckConstraint(
                condition=Q(frequency__in=["daily", "weekdays", "weekly"]),
                name="frequency_is_known",
            ),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="weekday_is_a_day"),
            models.CheckConstraint(condition=Q(hour__lte=23), name="hour_is_an_hour"),
        )

    def __str__(self) -> str:
        return f"preferences of #{self.subscriber_id}"

    @property
    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            # The time zone database drops names. That must not stop the mail of all readers.
            logger.warning("subscriber %s: unknown time zone, using UTC", self.subscriber_id)
            return ZoneInfo("UTC")

    @property
    def digest_weekdays(self) -> frozenset[int]:
        """The weekdays (Monday is 0) on which a digest is sent."""
        match self.frequency:
            case self.Frequency.WEEKLY:
                return frozenset({self.weekday})
            case self.Frequency.WEEKDAYS:
                return frozenset(range(5))
            case _:
                return frozenset(range(7))

    def next_digest_at(self, *, after: datetime, last_digest_date: date | None = None) -> datetime:
        """Return when the next digest is due, in UTC; see `send_time.next_digest_at`."""
        return send_time.next_digest_at(
            hour=self.hour,
            zone=self.zone,
            weekdays=self.digest_weekdays,
            after=after,
            last_digest_date=last_digest_date,
            not_before=self.paused_until,
        )

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and now.astimezone(self.zone).date() < (
            self.paused_until
        )
