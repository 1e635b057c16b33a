"""The app `papers`."""

from django.apps import AppConfig


class PapersConfig(AppConfig):
    name = "papers"
    verbose_name = "Papers"

    def ready(self) -> None:
        from papers import checks  # noqa: F401, PLC0415 -- registers the checks
