"""Trending Papers: the project, and its last step: editions and their delivery."""

# Celery's tasks are bound to this application as soon as Django starts.
from newsletter.celery import app as celery_app

__all__ = ["celery_app"]
