from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class NewsletterConfig(AppConfig):
    default = True
    name = "newsletter"
    verbose_name = "Newsletter"

    def ready(self) -> None:
        from newsletter.events import receivers  # noqa: F401, PLC0415 -- connects them
        from newsletter.operations import personal_data  # noqa: F401, PLC0415 -- connects them


class OperatorAdminConfig(admin_apps.AdminConfig):
    """The desk of the operators, who need a second factor beside their password."""

    default = False
    default_site = "newsletter.operations.admin_site.OperatorAdminSite"
