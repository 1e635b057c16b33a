"""The app's models, collected here for Django."""

from subscribers.models.choices import Attitude, Follow, TopicChoice, Vote
from subscribers.models.records import Consent, SoftBounce, Suppression, UnsubscribeFeedback
from subscribers.models.subscriber import (
    DEFAULT_DIGEST_HOUR,
    MAX_DIGEST_PAPERS,
    MIN_DIGEST_PAPERS,
    Preferences,
    Subscriber,
    SubscriberQuerySet,
)

__all__ = [
    "DEFAULT_DIGEST_HOUR",
    "MAX_DIGEST_PAPERS",
    "MIN_DIGEST_PAPERS",
    "Attitude",
    "Consent",
    "Follow",
    "Preferences",
    "SoftBounce",
    "Subscriber",
    "SubscriberQuerySet",
    "Suppression",
    "TopicChoice",
    "UnsubscribeFeedback",
    "Vote",
]
