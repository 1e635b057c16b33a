"""The admin for subscribers: search, edit preferences, unsubscribe and suppress.

Subscribers cannot be added or deleted here: use the commands `add_subscriber`, which asks for a
confirmation, and `erase_subscriber`, which also suppresses the address.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from papers.admin import ViewOnlyAdmin
from subscribers import suppression
from subscribers.addresses import InvalidAddressError, normalise_address
from subscribers.models import (
    Consent,
    Preferences,
    SoftBounce,
    Subscriber,
    Suppression,
    UnsubscribeFeedback,
)
from subscribers.preferences.form import PreferencesForm
from subscribers.signup import lifecycle

LeftReason = Subscriber.LeftReason


def normalise_search_term(search_term: str) -> str:
    """Return an address in normalised form, and any other text unchanged."""
    try:
        return normalise_address(search_term)
    except InvalidAddressError:
        return search_term


class AdminPreferencesForm(PreferencesForm):
    """The preferences form of readers, for the admin: passes it the current time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, now=timezone.now(), **kwargs)


class PreferencesInline(admin.StackedInline):  # type: ignore[type-arg]  # not generic at run time
    model = Preferences
    form = AdminPreferencesForm
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Subscriber)
class SubscriberAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Subscribers with read-only fields; only their preferences can be changed."""

    show_full_result_count = False
    list_display = ("id", "email", "status", "left_reason", "created_at", "next_digest_at")
    list_filter = ("status", "left_reason")
    search_fields = ("email__exact", "id__exact")
    search_help_text = "A complete address, or an id."
    ordering = ("-id",)
    inlines = (PreferencesInline,)
    actions = ("unsubscribe", "suppress")

    # Not ViewOnlyAdmin: without permission to change a subscriber, their inline is read-only too.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [field.name for field in self.opts.fields]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, normalise_search_term(search_term))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """Reschedule the next digest after the preferences were saved."""
        super().save_related(request, form, formsets, change)
        form.instance.reschedule_digest(timezone.now())

    @admin.action(description="Unsubscribe")
    def unsubscribe(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> None:
        for subscriber in queryset:
            lifecycle.leave(subscriber, LeftReason.UNSUBSCRIBED, timezone.now())
        self.message_user(request, "Unsubscribed. They no longer get email.")

    @admin.action(description="Suppress after a complaint")
    def suppress(self, request: HttpRequest, queryset: QuerySet[Subscriber]) -> None:
        for subscriber in queryset:
            now = timezone.now()
            suppression.suppress(subscriber.email, Suppression.Reason.COMPLAINED, now)
            lifecycle.leave(subscriber, LeftReason.COMPLAINED, now)
        self.message_user(request, "Suppressed. Their addresses no longer get email.")


@admin.register(Consent)
class ConsentAdmin(ViewOnlyAdmin):
    list_display = ("id", "subscriber_id", "form", "text_version", "asked_at", "confirmed_at")
    list_filter = ("form", "text_version")
    search_fields = ("subscriber__email__exact", "subscriber__id__exact")
    search_help_text = "A complete address, or a subscriber id."
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, normalise_search_term(search_term))


@admin.register(Suppression)
class SuppressionAdmin(ViewOnlyAdmin):
    list_display = ("id", "reason", "created_at")
    list_filter = ("reason",)
    search_fields = ("address_hash",)
    search_help_text = "A complete address, because the table stores only hashes."
    ordering = ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        hashes = suppression.address_hashes(normalise_search_term(search_term))
        return queryset.filter(address_hash__in=hashes), False


@admin.register(SoftBounce)
class SoftBounceAdmin(ViewOnlyAdmin):
    list_display = ("subscriber", "message", "happened_at")
    search_fields = ("subscriber__id__exact", "message__exact")
    search_help_text = "A subscriber id, or a message id."
    ordering = ("-id",)


@admin.register(UnsubscribeFeedback)
class UnsubscribeFeedbackAdmin(ViewOnlyAdmin):
    """Exit survey answers. The filter in the sidebar shows their number by reason."""

    list_display = ("said_on", "reason", "words")
    list_filter = ("reason",)
    date_hierarchy = "said_on"
    show_facets = admin.ShowFacets.ALWAYS
    ordering = ("-said_on", "-id")
