"""The admin of editions and deliveries: read-only, because the service writes these rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from newsletter.delivery import handover
from newsletter.editions import receipt
from newsletter.models import (
    Batch,
    Delivery,
    Edition,
    Entry,
    ProviderEvent,
    ProviderReport,
)
from papers.admin import ViewOnlyAdmin
from subscribers import suppression
from subscribers.admin import normalise_search_term

# How much of a report's body the page shows.
BODY_PREVIEW_BYTES = 20_000


@admin.register(Edition)
class EditionAdmin(ViewOnlyAdmin):
    list_display = ("date", "published_at", "opened")
    date_hierarchy = "date"
    readonly_fields = ("receipt_summary",)

    @admin.display(description="Receipt")
    def receipt_summary(self, edition: Edition) -> str:
        return str(receipt.for_edition(edition))


@admin.register(Entry)
class EntryAdmin(ViewOnlyAdmin):
    list_display = ("edition", "rank", "paper", "score", "upvotes", "gain")
    list_select_related = ("edition", "paper")
    search_fields = ("=paper__identity", "paper__title")


@admin.register(Delivery)
class DeliveryAdmin(ViewOnlyAdmin):
    list_display = ("id", "edition", "subscriber", "state", "reason", "event", "error")
    list_filter = ("state", "event", "reason", "edition")
    list_select_related = ("edition", "subscriber")
    search_fields = ("=id", "=message_id", "=subscriber__id", "subscriber__email")
    actions = ("count_as_sent", "send_again")

    @admin.action(description="Unknown: count as sent", permissions=["settle"])
    def count_as_sent(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        self.show_changed_count(request, handover.count_as_sent(deliveries, now=timezone.now()))

    @admin.action(description="Unknown: send again (may arrive twice)", permissions=["settle"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        self.show_changed_count(request, handover.send_again(deliveries))

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("newsletter.change_delivery")

    def show_changed_count(self, request: HttpRequest, changed: int) -> None:
        self.message_user(request, f"Changed {changed} unknown deliveries.", messages.INFO)


@admin.register(Batch)
class BatchAdmin(ViewOnlyAdmin):
    list_display = ("id", "edition", "provider", "claimed_at", "finished_at")
    list_select_related = ("edition",)


@admin.register(ProviderEvent)
class ProviderEventAdmin(ViewOnlyAdmin):
    list_display = ("id", "happened_at", "provider", "kind", "state", "delivery", "message_id")
    list_filter = ("state", "kind", "report__provider")
    list_select_related = ("report", "delivery")
    search_fields = ("=delivery__id", "=message_id", "=event_id")
    search_help_text = "The id of a delivery, message or event, or a complete address."
    ordering = ("-id",)
    exclude = ("key", "recipient_hash")

    @admin.display(ordering="report__provider")
    def provider(self, event: ProviderEvent) -> str:
        return event.report.provider

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search an address by its hash: the table stores no addresses."""
        if "@" in search_term:
            hashes = suppression.address_hashes(normalise_search_term(search_term))
            if (matches := queryset.filter(recipient_hash__in=hashes)).exists():
                return matches, False
        return super().get_search_results(request, queryset, search_term)


@admin.register(ProviderReport)
class ProviderReportAdmin(ViewOnlyAdmin):
    list_display = ("id", "received_at", "provider", "next_at", "error")
    list_filter = ("provider", ("next_at", admin.EmptyFieldListFilter))
    search_fields = ("=id", "=events__delivery__id", "=events__message_id")
    search_help_text = "The id of a report, or of a delivery or message in it."
    ordering = ("-id",)
    fields = (
        "provider",
        "received_at",
        "next_at",
        "error",
        "content_type",
        "headers",
        "body_preview",
    )
    readonly_fields = ("body_preview",)

    @admin.display(description="Body as received")
    def body_preview(self, report: ProviderReport) -> str:
        return bytes(report.body)[:BODY_PREVIEW_BYTES].decode(errors="replace") or "Deleted."
