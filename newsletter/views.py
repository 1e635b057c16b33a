"""The front page and the archive of editions."""

from __future__ import annotations

from datetime import date

from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.models import Edition, Entry
from papers.models import Paper, Topic
from papers.web.pagination import get_page_or_404

# The front page and an edition show this many papers with their abstracts.
MAX_DETAILED_PAPERS = 20
EDITIONS_PER_PAGE = 60


@require_safe
@cache_control(public=True, max_age=60)
def home(request: HttpRequest) -> HttpResponse:
    today = timezone.now().date()
    context = {
        "today": today,
        "papers": list(Paper.objects.trending(on=today).with_topics()[:MAX_DETAILED_PAPERS]),
        "topics": Topic.objects.list_by_trending_count(on=today),
        "edition": Edition.objects.order_by("-date").first(),
    }
    return render(request, "newsletter/home.html", context)


@require_safe
@cache_control(public=True, max_age=60)
def editions(request: HttpRequest) -> HttpResponse:
    top_entries = Entry.objects.filter(rank__lte=3).select_related("paper").order_by("rank")
    newest_first = (
        Edition.objects.annotate(papers=Count("entries"))
        .prefetch_related(Prefetch("entries", top_entries, to_attr="best"))
        .order_by("-date")
    )
    page = get_page_or_404(request, newest_first, page_size=EDITIONS_PER_PAGE)
    return render(request, "newsletter/editions.html", {"page": page})


@require_safe
@cache_control(public=True, max_age=60)
def edition(request: HttpRequest, day: date) -> HttpResponse:
    edition = get_object_or_404(Edition, date=day)
    by_rank = edition.entries.select_related("paper").order_by("rank")
    topics_by_name = Prefetch("paper__topics", Topic.objects.order_by("name"))
    entries = list(by_rank.prefetch_related(topics_by_name))
    context = {
        "edition": edition,
        "entries": entries[:MAX_DETAILED_PAPERS],
        "others": entries[MAX_DETAILED_PAPERS:],
        "previous": Edition.objects.filter(date__lt=day).order_by("-date").first(),
        "next": Edition.objects.filter(date__gt=day).order_by("date").first(),
        "topics": Topic.objects.list_by_trending_count(on=timezone.now().date()),
    }
    return render(request, "newsletter/edition.html", context)
