"""The API's documentation page."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from newsletter.api import middleware, routes
from papers.web import problems


@require_safe
@cache_control(public=True, max_age=600)
def api(request: HttpRequest) -> HttpResponse:
    context = {
        "api_url": settings.API_URL,
        "resources": routes.operations_for_page(),
        "problems": problems.problem_types(),
        "limit": middleware.RATE_LIMIT.replace("/", " requests per "),
    }
    return render(request, "newsletter/api.html", context)
