"""The changes that an upsert of records makes to one paper."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from papers.models import Paper


class ChangeStatus(IntEnum):
    """The outcome for one paper; a higher status replaces a lower one."""

    # Locked as a candidate, but no record matched it.
    UNMATCHED = 0
    UNCHANGED = 1
    # No value changed, only `field_sources`: which source last confirmed a value, and when.
    PROVENANCE_ONLY = 2
    CHANGED = 3
    NEW = 4
    # The paper turned out to be another one; `merged_into` has that one's change.
    MERGED = 5


@dataclass(slots=True, eq=False)
class PaperChange:
    """A stored or new paper, and what the upsert has changed in it so far.

    Two changes are equal only if they are the same object: a new paper has no id to compare.
    """

    paper: Paper
    status: ChangeStatus
    merged_into: PaperChange | None = None

    def raise_to(self, status: ChangeStatus) -> None:
        """Set the status, unless a higher one is set already."""
        self.status = max(self.status, status)

    def merge_into(self, survivor: PaperChange) -> None:
        self.status, self.merged_into = ChangeStatus.MERGED, survivor
        survivor.raise_to(ChangeStatus.CHANGED)

    def survivor(self) -> PaperChange:
        """Return the change that this one was merged into, over any number of merges."""
        change = self
        while change.merged_into is not None:
            change = change.merged_into
        return change
