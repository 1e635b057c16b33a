"""The change of one paper in a batch."""

from __future__ import annotations

from papers.catalogue.changes import ChangeStatus, PaperChange
from papers.models import Paper


def test_a_status_never_goes_down():
    change = PaperChange(Paper(), ChangeStatus.UNMATCHED)

    change.raise_to(ChangeStatus.CHANGED)
    change.raise_to(ChangeStatus.PROVENANCE_ONLY)

    assert change.status == ChangeStatus.CHANGED


def test_a_merged_paper_leads_to_the_last_survivor():
    first, second, third = (PaperChange(Paper(), ChangeStatus.UNCHANGED) for _ in range(3))

    first.merge_into(second)
    second.merge_into(third)

    assert first.survivor() is second.survivor() is third.survivor() is third
    assert [change.status for change in (first, second, third)] == [
        ChangeStatus.MERGED,
        ChangeStatus.MERGED,
        ChangeStatus.CHANGED,
    ]
