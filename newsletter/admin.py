"""The operators' desk for editions and their delivery: the machine owns these rows."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from newsletter import delivery, receipt
from newsletter.models import Batch, Delivery, Edition, Entry
from papers.admin import MachineOwned


@admin.register(Edition)
class EditionAdmin(MachineOwned):
    list_display = ("date", "published_at", "opened")
    date_hierarchy = "date"
    readonly_fields = ("balance",)

    @admin.display(description="Receipt")
    def balance(self, edition: Edition) -> str:
        return str(receipt.of(edition))


@admin.register(Entry)
class EntryAdmin(MachineOwned):
    list_display = ("edition", "rank", "paper", "score", "upvotes", "gain")
    list_select_related = ("edition", "paper")
    search_fields = ("=paper__identity", "paper__title")


@admin.register(Delivery)
class DeliveryAdmin(MachineOwned):
    list_display = ("id", "edition", "subscriber", "state", "reason", "event", "error")
    list_filter = ("state", "event", "reason", "edition")
    list_select_related = ("edition", "subscriber")
    search_fields = ("=id", "=message_id", "=subscriber__id", "subscriber__email")
    actions = ("count_as_sent", "send_again")

    @admin.action(description="Unknown: count as sent", permissions=["settle"])
    def count_as_sent(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        self.report(request, delivery.count_as_sent(deliveries, now=timezone.now()))

    @admin.action(description="Unknown: send again (may arrive twice)", permissions=["settle"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        self.report(request, delivery.send_again(deliveries))

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("newsletter.change_delivery")

    def report(self, request: HttpRequest, changed: int) -> None:
        self.message_user(request, f"{changed} unknown deliveries changed.", messages.INFO)


@admin.register(Batch)
class BatchAdmin(MachineOwned):
    list_display = ("id", "edition", "provider", "claimed_at", "finished_at")
    list_select_related = ("edition",)
