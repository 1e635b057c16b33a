"""Two papers turn out to be one: what is known of both is kept, once."""

from __future__ import annotations

import logging

from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError

from papers.catalogue import precedence
from papers.models import Paper, SearchText

logger = logging.getLogger(__name__)

# What is made of a paper anew.
REBUILT_MODELS: set[type[Model]] = {SearchText}


def merge_papers(paper: Paper, other: Paper) -> bool:
    """Let a paper take over what is told of another, and its rows; False if both must stay.

    That is so if both were in an edition already: who read it, read of both.
    """
    if other.pk:
        try:
            with transaction.atomic():
                repoint_relations(paper, other)
                other.delete()
        except ProtectedError:
            logger.warning("papers %s and %s are one, and both were published", paper.pk, other.pk)
            return False
        logger.info("paper %s is now one with %s", other.pk, paper.pk)
    merge_fields(paper, other)
    return True


def repoint_relations(paper: Paper, other: Paper) -> None:
    """Every row about the other becomes one about this paper, unless there is one like it."""
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
                pass


def merge_fields(paper: Paper, other: Paper) -> None:
    """What was told of the other, by the sources that told it."""
    for name, told in other.field_sources.items():
        if name in precedence.ANY_TRUE_FIELDS:
            said = told.items()
        else:
            said = [(told[0], [told[1], getattr(other, name)])]
        for source, (at, value) in said:
            merge_values(paper, {name: value}, source=source, reported_at=at)
    for name in precedence.MIN_WINS_FIELDS:
        if (day := getattr(other, name)) is not None:
            merge_values(paper, {name: day}, source="", reported_at=0)
    paper.arxiv_id = paper.arxiv_id or other.arxiv_id
    paper.doi = paper.doi or other.doi


def merge_values(
    paper: Paper, incoming: dict[str, object], *, source: str, reported_at: int
) -> bool:
    """Put news into a paper, as far as their source is believed; whether that changed it."""
    known = {name: getattr(paper, name) for name in incoming}
    changed, paper.field_sources = precedence.merge_by_priority(
        known, paper.field_sources, incoming, source=source, reported_at=reported_at
    )
    for name, value in changed.items():
        setattr(paper, name, value)
    return bool(changed)
