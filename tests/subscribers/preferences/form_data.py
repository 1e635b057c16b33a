"""Valid data for the preferences form, as a browser sends it."""

from __future__ import annotations

VALID_DATA = {
    "attitudes-robotics": "",
    "attitudes-speech": "follow",
    "authors": "Emmy Noether\r\nLovelace, Ada",
    "keywords": "State space models, Mamba",
    "categories": ["cs.RO", "cs.lg; stat.ML"],
    "length": "5",
    "minimum": "2",
    "detail": "full",
    "frequency": "weekly",
    "weekday": "2",
    "hour": "18",
    "timezone": "Asia/Tokyo",
    "paused_until": "",
    "learning": "on",
}
