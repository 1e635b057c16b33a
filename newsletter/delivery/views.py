"""The development mailbox: pages that show the mails of the `file` provider."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from newsletter.delivery import mailbox as mail_store


def debug_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return 404 outside development: these pages show other people's mail."""

    @wraps(view)
    def guarded_view(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not (settings.DEBUG and settings.EMAIL_PROVIDER == "file"):
            raise Http404
        try:
            return view(request, **kwargs)
        except mail_store.NoSuchMailError:
            raise Http404 from None

    return guarded_view


@require_safe
@never_cache
@debug_only
def mailbox(request: HttpRequest) -> HttpResponse:
    return render(request, "newsletter/mailbox.html", {"messages": mail_store.list_messages()})


@require_safe
@never_cache
@csp_update({"frame-src": [SELF]})
@debug_only
def mail(request: HttpRequest, name: str) -> HttpResponse:
    show = request.GET.get("show")
    context = {
        "mail": mail_store.read_message(name),
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
    """Return the mail's HTML for the iframe; `base` makes its links open in the whole window."""
    html = mail_store.read_message(name).html
    return HttpResponse(html.replace("<head>", '<head><base target="_top">', 1))


@require_safe
@never_cache
@debug_only
def mail_source(request: HttpRequest, name: str) -> FileResponse:
    path = settings.MAILBOX_DIR / f"{mail_store.read_message(name).name}.eml"
    return FileResponse(path.open("rb"), as_attachment=True, content_type="message/rfc822")
