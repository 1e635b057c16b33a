"""What is kept beside a reader: suppressed addresses, bounces, exit survey answers and consent."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from subscribers.models.subscriber import Subscriber


class Suppression(models.Model):
    """An address that must not be written to, known only by its keyed hash."""

    class Reason(models.TextChoices):
        UNREACHABLE = "unreachable", "Mail kept coming back"
        BOUNCED = "bounced", "Address does not exist"
        COMPLAINED = "complained", "Reported as spam"
        ERASED = "erased", "Asked to be erased"

    # HMAC-SHA256 of the normalised address, in hex (subscribers/suppression.py).
    address_hash = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=16, choices=Reason)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(reason__in=["unreachable", "bounced", "complained", "erased"]),
                name="suppression_reason_is_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.address_hash[:8]}… ({self.reason})"


class SoftBounce(models.Model):
    """A message that came back though its address may exist: a full mailbox, a server that is away."""

    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="soft_bounces"
    )
    # Which message: one that comes back several times counts once.
    message = models.CharField(max_length=255)
    happened_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["subscriber", "message"], name="one_soft_bounce_per_message"
            ),
        )
        indexes = (models.Index(fields=["happened_at"], name="soft_bounce_by_age"),)

    def __str__(self) -> str:
        return f"{self.subscriber_id}: {self.message}"


class UnsubscribeFeedback(models.Model):
    """Why somebody left, in their words; not who."""

    class SurveyReason(models.TextChoices):
        TOO_MANY = "too_many", "Too many emails"
        NOT_RELEVANT = "not_relevant", "Papers that do not interest me"
        NO_TIME = "no_time", "No time to read it"
        ELSEWHERE = "elsewhere", "I read this somewhere else"
        NEVER_ASKED = "never_asked", "I never asked for it"
        OTHER = "other", "Something else"

    MAX_COMMENT_CHARS = 500

    reason = models.CharField(max_length=16, choices=SurveyReason)
    words = models.CharField(max_length=MAX_COMMENT_CHARS, blank=True)
    # The day only: a moment would tell whose it is.
    said_on = models.DateField()

    class Meta:
        db_table = "subscribers_farewell"
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    reason__in=[
                        "too_many",
                        "not_relevant",
                        "no_time",
                        "elsewhere",
                        "never_asked",
                        "other",
                    ]
                ),
                name="farewell_reason_is_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_reason_display()} ({self.said_on})"


class Consent(models.Model):
    """The proof that a reader asked: when, where, and what they were told."""

    class FormKind(models.TextChoices):
        PAGE = "page", "Form on our pages"
        EMBED = "embed", "Form within another site"
        API = "api", "Another site's own form"
        IMPORT = "import", "List of the operator"
        COMMAND = "command", "Operator at the shell"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="consents")
    asked_at = models.DateTimeField()
    # By the button in the mail; none while they have not pressed it.
    confirmed_at = models.DateTimeField(null=True, blank=True)
    form = models.CharField(max_length=16, choices=FormKind)
    # Which sentence stood there (subscribers/consent.py); empty if it was not one of ours.
    text_version = models.CharField(max_length=16, blank=True)
    # Where from: only where the operator has to keep it (CONSENT_IP).
    ip = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(form__in=["page", "embed", "api", "import", "command"]),
                name="consent_form_is_known",
            ),
            models.UniqueConstraint(
                fields=["subscriber"],
                condition=Q(confirmed_at__isnull=True),
                name="one_unconfirmed_consent",
            ),
        )

    def __str__(self) -> str:
        return f"consent of #{self.subscriber_id} ({self.form})"
