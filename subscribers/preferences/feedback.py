"""The quiet links beside each paper of a digest: more like this, less like this, mute this topic.

A link only says what its reader may do; it is done when they press the button on its page, and can
be undone there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from papers.models import Paper, Topic
from subscribers.mail import links
from subscribers.mail.links import Purpose
from subscribers.models import Subscriber, TopicChoice, Vote
from subscribers.preferences import choices, votes


class FeedbackAction(StrEnum):
    MORE = "more"
    LESS = "less"
    MUTE = "mute"


# A token holds the place of its verb among these and the number of a paper or topic's row.
ACTION_CODES = [FeedbackAction.MORE, FeedbackAction.LESS, FeedbackAction.MUTE]
PAYLOAD_STRUCT = struct.Struct(">BQ")


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader may say with one link."""

    subscriber: Subscriber
    action: FeedbackAction
    target: Paper | Topic

    @property
    def current_value(self) -> str:
        """What they said of it before; empty for nothing."""
        if isinstance(self.target, Paper):
            vote = self.subscriber.votes.filter(paper=self.target).first()
            return vote.verb if vote else ""
        choice = self.subscriber.preferences.topic_choices.filter(topic=self.target).first()
        return choice.attitude if choice else ""

    def set_value(self, value: str, *, now: datetime) -> None:
        """This instead; empty takes back what was said, and anything unknown counts as that."""
        if isinstance(self.target, Paper):
            votes.cast(
                self.subscriber, self.target, value if value in Vote.Verb.values else "", now=now
            )
        else:
            known = value if value in TopicChoice.Attitude.values else ""
            choices.set_topic_preference(self.subscriber.preferences, self.target, known)


def action_url(subscriber: Subscriber, action: FeedbackAction, target_id: int) -> str:
    """The address where a reader says this of a paper, or of a topic if it is to mute it."""
    return links.signed_url(
        Purpose.FEEDBACK, subscriber, PAYLOAD_STRUCT.pack(ACTION_CODES.index(action), target_id)
    )


def resolve_token(token: str) -> Feedback:
    """What a link allows; the paper or topic may have gone since it was made."""
    subscriber, content = links.read_token_with_payload(Purpose.FEEDBACK, token)
    try:
        code, number = PAYLOAD_STRUCT.unpack(content)
        verb = ACTION_CODES[code]
        kind = Topic if verb == FeedbackAction.MUTE else Paper
        about = kind.objects.get(pk=number)
    except (struct.error, IndexError, Paper.DoesNotExist, Topic.DoesNotExist):
        raise links.UnknownSubscriberError from None
    return Feedback(subscriber, verb, about)
