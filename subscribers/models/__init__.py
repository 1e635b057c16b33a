"""The models of the app; Django finds them here."""

from subscribers.models.choices import Attitude, Follow, TopicChoice, Vote
from subscribers.models.records import Consent, Farewell, SoftBounce, Suppression
from subscribers.models.subscriber import (
    DEFAULT_HOUR,
    LONGEST_DIGEST,
    SHORTEST_DIGEST,
    Preferences,
    Subscriber,
    SubscriberQuerySet,
)

__all__ = [
    "DEFAULT_HOUR",
    "LONGEST_DIGEST",
    "SHORTEST_DIGEST",
    "Attitude",
    "Consent",
    "Farewell",
    "Follow",
    "Preferences",
    "SoftBounce",
    "Subscriber",
    "SubscriberQuerySet",
    "Suppression",
    "TopicChoice",
    "Vote",
]
