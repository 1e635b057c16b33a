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


class Verb(StrEnum):
    MORE = "more"
    LESS = "less"
    MUTE = "mute"


# A token holds the place of its verb among these and the number of a paper or topic's row.
CODES = [Verb.MORE, Verb.LESS, Verb.MUTE]
LAYOUT = struct.Struct(">BQ")


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader may say with one link."""

    subscriber: Subscriber
    verb: Verb
    about: Paper | Topic

    @property
    def said(self) -> str:
        """What they said of it before; empty for nothing."""
        if isinstance(self.about, Paper):
            vote = self.subscriber.votes.filter(paper=self.about).first()
            return vote.verb if vote else ""
        choice = self.subscriber.preferences.topic_choices.filter(topic=self.about).first()
        return choice.attitude if choice else ""

    def say(self, word: str, *, now: datetime) -> None:
        """This instead; empty takes back what was said, and anything unknown counts as that."""
        if isinstance(self.about, Paper):
            votes.cast(
                self.subscriber, self.about, word if word in Vote.Verb.values else "", now=now
            )
        else:
            known = word if word in TopicChoice.Attitude.values else ""
            choices.set_attitude(self.subscriber.preferences, self.about, known)


def url(subscriber: Subscriber, verb: Verb, number: int) -> str:
    """The address where a reader says this of a paper, or of a topic if it is to mute it."""
    return links.url(Purpose.FEEDBACK, subscriber, LAYOUT.pack(CODES.index(verb), number))


def read(token: str) -> Feedback:
    """What a link allows; the paper or topic may have gone since it was made."""
    subscriber, content = links.read_about(Purpose.FEEDBACK, token)
    try:
        code, number = LAYOUT.unpack(content)
        verb = CODES[code]
        kind = Topic if verb == Verb.MUTE else Paper
        about = kind.objects.get(pk=number)
    except (struct.error, IndexError, Paper.DoesNotExist, Topic.DoesNotExist):
        raise links.ErasedLink from None
    return Feedback(subscriber, verb, about)
