"""Per-paper feedback links in the digest: more like this, less like this, mute this topic.

Opening a link changes nothing, because mail programs open links by themselves. Its page has a
button that stores the feedback, and then one that undoes it.
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


# The payload of a token: the index of the action in ACTION_CODES, and the id of a paper or topic.
# Append to the list, but never reorder it: links in sent mails hold these indexes.
ACTION_CODES = [FeedbackAction.MORE, FeedbackAction.LESS, FeedbackAction.MUTE]
PAYLOAD_STRUCT = struct.Struct(">BQ")


@dataclass(frozen=True, slots=True)
class Feedback:
    """The feedback that one link allows: an action of one reader on one paper or topic."""

    subscriber: Subscriber
    action: FeedbackAction
    target: Paper | Topic

    @property
    def current_value(self) -> str:
        """The stored vote on the paper or attitude to the topic; empty if there is none."""
        if isinstance(self.target, Paper):
            vote = self.subscriber.votes.filter(paper=self.target).first()
            return vote.verb if vote else ""
        choice = self.subscriber.preferences.topic_choices.filter(topic=self.target).first()
        return choice.attitude if choice else ""

    def set_value(self, value: str, *, now: datetime) -> None:
        """Store this vote or attitude instead; delete it if `value` is empty or unknown."""
        if isinstance(self.target, Paper):
            verb = value if value in Vote.Verb.values else ""
            votes.cast(self.subscriber, self.target, verb, now=now)
        else:
            attitude = value if value in TopicChoice.Attitude.values else ""
            choices.set_topic_preference(self.subscriber.preferences, self.target, attitude)


def action_url(subscriber: Subscriber, action: FeedbackAction, target_id: int) -> str:
    """Return the link for an action on a paper or, to mute it, on a topic."""
    return links.signed_url(
        Purpose.FEEDBACK, subscriber, PAYLOAD_STRUCT.pack(ACTION_CODES.index(action), target_id)
    )


def resolve_token(token: str) -> Feedback:
    """Return the feedback that a link allows.

    Raise `InvalidLinkError` for a bad token, or if its paper or topic no longer exists.
    """
    subscriber, payload = links.read_token_with_payload(Purpose.FEEDBACK, token)
    try:
        code, target_id = PAYLOAD_STRUCT.unpack(payload)
        action = ACTION_CODES[code]
        model = Topic if action == FeedbackAction.MUTE else Paper
        target = model.objects.get(pk=target_id)
    except (struct.error, IndexError, Paper.DoesNotExist, Topic.DoesNotExist):
        raise links.UnknownSubscriberError from None
    return Feedback(subscriber, action, target)
