"""The admin of papers: operators can view and search; what sources write is read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from papers.models import CallSlot, Paper, Reading, SourceStatus, Topic


class ViewOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Read-only rows: the next import would undo any change."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Topics, defined in topics.json; one that was removed from the file can be deleted here."""

    list_display = ("name", "slug", "description")
    search_fields = ("name", "slug")
    ordering = ("name",)
    readonly_fields = ("slug", "name", "description")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Paper)
class PaperAdmin(ViewOnlyAdmin):
    list_display = ("identity", "title", "listed_on", "upvotes", "comments", "score", "scored_at")
    list_filter = ("topics",)
    search_fields = ("=identity", "=doi", "title")
    search_help_text = "arXiv id, DOI, or words in the title"
    date_hierarchy = "sort_date"
    ordering = ("-sort_date", "-score", "identity")
    list_per_page = 50
    fields = (
        ("identity", "arxiv_id", "doi"),
        "title",
        "abstract",
        "machine_summary",
        "authors",
        "organization",
        "topics",
        "keywords",
        "categories",
        ("published_on", "listed_on", "sort_date", "added_at"),
        ("withdrawn", "field_sources"),
        "code_url",
        "project_url",
        ("score", "upvotes", "comments", "stars", "scored_at"),
    )


@admin.register(Reading)
class ReadingAdmin(ViewOnlyAdmin):
    list_display = ("paper", "source", "value", "observed_at")
    list_filter = ("source",)
    list_select_related = ("paper",)
    search_fields = ("=paper__identity",)
    search_help_text = "arXiv id"
    ordering = ("-pk",)
    list_per_page = 100


@admin.register(SourceStatus)
class SourceStatusAdmin(ViewOnlyAdmin):
    list_display = ("name", "asked_at", "answered_at", "papers", "failures", "error")


@admin.register(CallSlot)
class CallSlotAdmin(ViewOnlyAdmin):
    list_display = ("name", "next_at")
