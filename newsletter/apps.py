from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class NewsletterConfig(AppConfig):
    default = True
    name = "newsletter"
    verbose_name = "Newsletter"

    def ready(self) -> None:
        from newsletter import personal, receivers  # noqa: F401, PLC0415 -- connects them


class OperatorsConfig(admin_apps.AdminConfig):
    """The desk of the operators, who need a second factor beside their password."""

    default = False
    default_site = "newsletter.desk.Desk"
