"""Records about readers: suppressions, soft bounces, exit survey answers and consent."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from subscribers.models.subscriber import Subscriber


class Suppression(models.Model):
    """An address that must not be mailed, stored only as a keyed hash."""

    class Reason(models.TextChoices):
        UNREACHABLE = "unreachable", "Repeated bounces"
        BOUNCED = "bounced", "Address does not exist"
        COMPLAINED = "complained", "Reported as spam"
        ERASED = "erased", "Erased on request"

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
    """A temporary bounce, such as a full mailbox or an unavailable server."""

    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="soft_bounces"
    )
    # The message id: a message that bounces several times counts once.
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
    """An anonymous answer to the exit survey. Never link it to a subscriber."""

    class SurveyReason(models.TextChoices):
        TOO_MANY = "too_many", "Too many emails"
        NOT_RELEVANT = "not_relevant", "Papers that do not interest me"
        NO_TIME = "no_time", "No time to read it"
        ELSEWHERE = "elsewhere", "I read this somewhere else"
        NEVER_ASKED = "never_asked", "I never asked for it"
        OTHER = "other", "Something else"

    MAX_COMMENT_CHARS = 500

    reason = models.CharField(max_length=16, choices=SurveyReason)
    words = models.CharField("comment", max_length=MAX_COMMENT_CHARS, blank=True)
    # Not a timestamp: that would identify the reader, whose row holds the time they left.
    said_on = models.DateField("date")

    class Meta:
        db_table = "subscribers_farewell"
        verbose_name_plural = "unsubscribe feedback"
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
    """Proof that a reader signed up: when, through which form, and to which text.

    Confirming completes it (subscribers/signup/consent.py). Do not change it after that.
    """

    class FormKind(models.TextChoices):
        PAGE = "page", "Form on our pages"
        EMBED = "embed", "Form within another site"
        API = "api", "Another site's own form"
        IMPORT = "import", "Operator's list"
        COMMAND = "command", "Command line"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="consents")
    asked_at = models.DateTimeField()
    # When they pressed the button of the confirmation mail; None before that.
    confirmed_at = models.DateTimeField(null=True, blank=True)
    form = models.CharField(max_length=16, choices=FormKind)
    # The version of the text on the form (subscribers/signup/consent.py); empty if not ours.
    text_version = models.CharField(max_length=16, blank=True)
    # Stored only if the operator has to keep it (CONSENT_IP).
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
