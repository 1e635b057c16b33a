"""The front page, the editions, the API's page, a laptop's mailbox, and the health check."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.db.models import Count, Prefetch
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from newsletter.api import middleware
from newsletter.api import routes as described
from newsletter.delivery import mailbox as letters
from newsletter.digest import click_tracking, preview
from newsletter.models import Edition, Entry
from newsletter.operations import health as health_check
from papers.models import Paper, Topic
from papers.web import problems
from papers.web.pagination import get_page_or_404
from subscribers.link_views import token_view
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.preferences.form import PreferencesForm
from subscribers.preferences.views import preferences_page

# How many papers the front page shows, and an edition in full.
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
    best = Entry.objects.filter(rank__lte=3).select_related("paper").order_by("rank")
    found = (
        Edition.objects.annotate(papers=Count("entries"))
        .prefetch_related(Prefetch("entries", best, to_attr="best"))
        .order_by("-date")
    )
    page = get_page_or_404(request, found, page_size=EDITIONS_PER_PAGE)
    return render(request, "newsletter/editions.html", {"page": page})


@require_safe
@cache_control(public=True, max_age=60)
def edition(request: HttpRequest, day: date) -> HttpResponse:
    edition = get_object_or_404(Edition, date=day)
    in_order = edition.entries.select_related("paper").order_by("rank")
    by_name = Prefetch("paper__topics", Topic.objects.order_by("name"))
    entries = list(in_order.prefetch_related(by_name))
    context = {
        "edition": edition,
        "entries": entries[:MAX_DETAILED_PAPERS],
        "others": entries[MAX_DETAILED_PAPERS:],
        "previous": Edition.objects.filter(date__lt=day).order_by("-date").first(),
        "next": Edition.objects.filter(date__gt=day).order_by("date").first(),
        "topics": Topic.objects.list_by_trending_count(on=timezone.now().date()),
    }
    return render(request, "newsletter/edition.html", context)


@require_safe
@cache_control(public=True, max_age=600)
def api(request: HttpRequest) -> HttpResponse:
    context = {
        "api_url": settings.API_URL,
        "resources": described.operations_for_page(),
        "problems": problems.problem_types(),
        "limit": middleware.RATE_LIMIT.replace("/", " calls a "),
    }
    return render(request, "newsletter/api.html", context)


@token_view
@require_POST
def digest_preview(request: HttpRequest, token: str) -> HttpResponse:
    """Today's papers by choices that are not saved: for the page's own script, or as a page."""
    reader, now = links.read_token(Purpose.PREFERENCES, token), timezone.now()
    form = PreferencesForm(request.POST, instance=reader.preferences, now=now)
    shown = preview.build_preview(form, now=now) if form.is_valid() else None
    if request.headers.get("HX-Request") != "true":
        return preferences_page(request, token, form, preview=shown, previewed=True)
    with timezone.override(form.zone):
        return render(request, "newsletter/_preview.html", {"form": form, "preview": shown})


def debug_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Other people's mail: there is no such page on a site that sends any."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not (settings.DEBUG and settings.EMAIL_PROVIDER == "file"):
            raise Http404
        try:
            return view(request, **kwargs)
        except letters.NoSuchMailError:
            raise Http404 from None

    return guarded


@require_safe
@never_cache
@debug_only
def mailbox(request: HttpRequest) -> HttpResponse:
    return render(request, "newsletter/mailbox.html", {"messages": letters.list_messages()})


@require_safe
@never_cache
@csp_update({"frame-src": [SELF]})
@debug_only
def mail(request: HttpRequest, name: str) -> HttpResponse:
    show = request.GET.get("show")
    context = {
        "mail": letters.read_message(name),
        "show": show if show in {"phone", "text", "headers"} else "desktop",
    }
    return render(request, "newsletter/mail.html", context)


@require_safe
@never_cache
@xframe_options_sameorigin
@csp(
    {
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "img-src": ["data:"],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-popups", "allow-top-navigation-by-user-activation"],
    }
)
@debug_only
def mail_body(request: HttpRequest, name: str) -> HttpResponse:
    """The mail's own HTML for the frame, its links made to open in the whole window."""
    html = letters.read_message(name).html
    return HttpResponse(html.replace("<head>", '<head><base target="_top">', 1))


@require_safe
@never_cache
@debug_only
def mail_source(request: HttpRequest, name: str) -> FileResponse:
    path = settings.MAILBOX_DIR / f"{letters.read_message(name).name}.eml"
    return FileResponse(path.open("rb"), as_attachment=True, content_type="message/rfc822")


@require_safe
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    parts = health_check.check_dependencies()
    well = all(parts.values())
    return JsonResponse({"ok": well, **parts}, status=200 if well else 503)


@require_safe
@never_cache
def follow_tracked_link(request: HttpRequest, token: str) -> HttpResponse:
    """On to what a link of a digest is about. Old mails lead there with counting off, too."""
    try:
        entry, kind, target = click_tracking.resolve_token(token)
    except click_tracking.InvalidTrackingLinkError:
        raise Http404 from None
    if settings.CLICKS and request.method == "GET":
        click_tracking.record_click(entry, kind, now=timezone.now())
    response = HttpResponseRedirect(target)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
