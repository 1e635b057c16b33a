"""The app `newsletter`, and the admin with its own site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class NewsletterConfig(AppConfig):
    default = True
    name = "newsletter"
    verbose_name = "Newsletter"

    def ready(self) -> None:
        from newsletter.events import receivers  # noqa: F401, PLC0415 -- connects signal handlers
        from newsletter.operations import personal_data  # noqa: F401, PLC0415 -- likewise


class OperatorAdminConfig(admin_apps.AdminConfig):
    """The admin, with a site that requires a second factor at login."""

    default = False
    default_site = "newsletter.operations.admin_site.OperatorAdminSite"
