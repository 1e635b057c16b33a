"""Merge two papers that turn out to be the same: keep the values and rows of both, each once."""

from __future__ import annotations

import logging

from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError

from papers.catalogue import precedence
from papers.models import Paper, SearchText

logger = logging.getLogger(__name__)

# Rows that are derived from the paper. They are rebuilt for the survivor, so do not move them.
REBUILT_MODELS: set[type[Model]] = {SearchText}


def merge_papers(paper: Paper, other: Paper) -> bool:
    """Merge another paper's rows and values into a paper, and delete the other if it is stored.

    The paper itself is changed in memory only; the caller saves it. Return False, and change
    nothing, if one edition holds both: the record of what was sent must stay.
    """
    if other_id := other.pk:
        try:
            with transaction.atomic():
                repoint_relations(paper, other)
                other.delete()
        except ProtectedError:
            logger.warning(
                "papers %s and %s are the same, but one edition holds both", paper.pk, other_id
            )
            return False
        logger.info("merged paper %s into paper %s", other_id, paper.pk)
    merge_fields(paper, other)
    return True


def repoint_relations(paper: Paper, other: Paper) -> None:
    """Point every row about the other paper to this one, unless this one has an equal row."""
    for relation in Paper._meta.related_objects:
        model, field = relation.related_model, relation.field
        if model in REBUILT_MODELS:
            continue
        for row in model._base_manager.filter(**{field.name: other.pk}):
            setattr(row, field.name, paper)
            try:
                with transaction.atomic():
                    row.save(update_fields=[field.name])
            except IntegrityError:
                # The paper has this row already; deleting the other paper deletes its duplicate.
                pass


def merge_fields(paper: Paper, other: Paper) -> None:
    """Merge each value of the other paper as if its source reported it about this one."""
    for name, provenance in other.field_sources.items():
        if name in precedence.ANY_TRUE_FIELDS:
            reports = list(provenance.items())
        else:
            source, reported_at = provenance
            reports = [(source, [reported_at, getattr(other, name)])]
        for source, (reported_at, value) in reports:
            merge_values(paper, {name: value}, source=source, reported_at=reported_at)
    for name in precedence.MIN_WINS_FIELDS:
        if (day := getattr(other, name)) is not None:
            merge_values(paper, {name: day}, source="", reported_at=0)
    paper.arxiv_id = paper.arxiv_id or other.arxiv_id
    paper.doi = paper.doi or other.doi


def merge_values(
    paper: Paper, incoming: dict[str, object], *, source: str, reported_at: int
) -> bool:
    """Set the values that take precedence over the paper's own; return whether any changed."""
    current = {name: getattr(paper, name) for name in incoming}
    changed, paper.field_sources = precedence.merge_by_priority(
        current, paper.field_sources, incoming, source=source, reported_at=reported_at
    )
    for name, value in changed.items():
        setattr(paper, name, value)
    return bool(changed)
