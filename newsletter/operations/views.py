"""The health check for load balancers and monitors."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from newsletter.operations import health as health_check


@require_safe
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """Return which dependencies are up; 503 if any is down."""
    parts = health_check.check_dependencies()
    all_up = all(parts.values())
    return JsonResponse({"ok": all_up, **parts}, status=200 if all_up else 503)
