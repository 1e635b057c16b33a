"""The URLs of the whole site."""

from __future__ import annotations

from datetime import date

from django.contrib import admin
from django.urls import include, path, register_converter

from newsletter import views, webhooks
from newsletter.api import views as api_views
from newsletter.api.routes import api
from newsletter.delivery import views as mailbox_views
from newsletter.digest import views as digest_views
from newsletter.operations import views as operations_views


class DayConverter:
    """A date written as YYYY-MM-DD; anything else is a 404."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_url(self, value: date | str) -> str:
        return str(value)


register_converter(DayConverter, "day")

pages = [
    path("", views.home, name="home"),
    path("editions/", views.editions, name="editions"),
    path("editions/<day:day>/", views.edition, name="edition"),
    path("preferences/<str:token>/preview/", digest_views.digest_preview, name="digest_preview"),
    path("go/<str:token>/", digest_views.follow_tracked_link, name="go"),
    path("mailbox/", mailbox_views.mailbox, name="mailbox"),
    path("mailbox/<str:name>/", mailbox_views.mail, name="mail"),
    path("mailbox/<str:name>/body/", mailbox_views.mail_body, name="mail_body"),
    path("mailbox/<str:name>/source/", mailbox_views.mail_source, name="mail_source"),
    path("health/", operations_views.health, name="health"),
    path("api/v1/", api_views.api, name="api"),
]

urlpatterns = [
    path("", include((pages, "newsletter"))),
    path("", include("papers.urls")),
    path("", include("subscribers.urls")),
    path("api/v1/", api.urls),
    path("webhooks/", include((webhooks.urlpatterns, "anymail"))),
    path("admin/", admin.site.urls),
]
