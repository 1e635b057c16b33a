"""The pages where readers download or erase their data."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from subscribers.link_views import require_get_or_post, token_view
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.privacy import personal_data

EXPORT_FILENAME = "about-me.json"


@token_view
@require_safe
def download_personal_data(request: HttpRequest, token: str) -> HttpResponse:
    data = personal_data.export_subscriber(links.read_token(Purpose.PREFERENCES, token))
    response = JsonResponse(data, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{EXPORT_FILENAME}"'
    return response


@token_view
@require_get_or_post
def erase(request: HttpRequest, token: str) -> HttpResponse:
    """Erase a reader's data on POST; GET only asks.

    The result page is the same whether or not there was a subscriber, and for any POST with a bad
    token, so that it reveals nothing. An expired token is an error all the same: its reader may
    still be subscribed, and must not read that no data is stored.
    """
    try:
        subscriber = links.read_token(Purpose.PREFERENCES, token)
    except links.UnknownSubscriberError:
        return render(request, "subscribers/erased.html")
    except links.ExpiredLinkError:
        raise
    except links.InvalidLinkError:
        if request.method != "POST":
            raise
        return render(request, "subscribers/erased.html")
    if request.method != "POST":
        return render(request, "subscribers/erase.html", {"token": token})
    personal_data.erase_subscriber(subscriber.email, timezone.now())
    return render(request, "subscribers/erased.html")
