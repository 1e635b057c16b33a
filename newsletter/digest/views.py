"""The digest preview on the preferences page, and the redirect behind tracked links."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from newsletter.digest import click_tracking, preview
from subscribers.link_views import token_view
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.preferences.form import PreferencesForm
from subscribers.preferences.views import preferences_page


@token_view
@require_POST
def digest_preview(request: HttpRequest, token: str) -> HttpResponse:
    """Render the digest that the submitted preferences would produce; save nothing.

    htmx gets the fragment, a browser without scripts the whole preferences page.
    """
    reader, now = links.read_token(Purpose.PREFERENCES, token), timezone.now()
    form = PreferencesForm(request.POST, instance=reader.preferences, now=now)
    digest = preview.build_preview(form, now=now) if form.is_valid() else None
    if request.headers.get("HX-Request") != "true":
        return preferences_page(request, token, form, preview=digest, previewed=True)
    with timezone.override(form.zone):
        return render(request, "newsletter/_preview.html", {"form": form, "preview": digest})


@require_safe
@never_cache
def follow_tracked_link(request: HttpRequest, token: str) -> HttpResponse:
    """Redirect to a paper's link, and count the click.

    Works with CLICKS off too, without counting: mails sent while it was on hold these links.
    """
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
