"""The project package, and the app of editions and their delivery."""

# Import the Celery app when Django starts, so that every shared task uses it.
from newsletter.celery import app as celery_app

__all__ = ["celery_app"]
