"""Two papers turn out to be one: what is known of both is kept, once."""

from __future__ import annotations

import logging

from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError

from papers.catalogue import precedence
from papers.models import Paper, SearchText

logger = logging.getLogger(__name__)

# What is made of a paper anew.
DERIVED: set[type[Model]] = {SearchText}


def unite(paper: Paper, other: Paper) -> bool:
    """Let a paper take over what is told of another, and its rows; False if both must stay.

    That is so if both were in an edition already: who read it, read of both.
    """
    if other.pk:
        try:
            with transaction.atomic():
                move_rows(paper, other)
                other.delete()
        except ProtectedError:
            logger.warning("papers %s and %s are one, and both were published", paper.pk, other.pk)
            return False
        logger.info("paper %s is now one with %s", other.pk, paper.pk)
    take_over(paper, other)
    return True


def move_rows(paper: Paper, other: Paper) -> None:
    """Every row about the other becomes one about this paper, unless there is one like it."""
    for relation in Paper._meta.related_objects:
        model, field = relation.related_model, relation.field
        if model in DERIVED:
            continue
        for row in model._base_manager.filter(**{field.name: other.pk}):
            setattr(row, field.name, paper)
            try:
                with transaction.atomic():
                    row.save(update_fields=[field.name])
            except IntegrityError:
                pass


def take_over(paper: Paper, other: Paper) -> None:
    """What was told of the other, by the sources that told it."""
    for name, told in other.tellers.items():
        if name in precedence.ANY:
            said = told.items()
        else:
            said = [(told[0], [told[1], getattr(other, name)])]
        for source, (at, value) in said:
            hear(paper, {name: value}, source=source, at=at)
    for name in precedence.EARLIEST:
        if (day := getattr(other, name)) is not None:
            hear(paper, {name: day}, source="", at=0)
    paper.arxiv_id = paper.arxiv_id or other.arxiv_id
    paper.doi = paper.doi or other.doi


def hear(paper: Paper, news: dict[str, object], *, source: str, at: int) -> bool:
    """Put news into a paper, as far as their source is believed; whether that changed it."""
    known = {name: getattr(paper, name) for name in news}
    changed, paper.tellers = precedence.merge(known, paper.tellers, news, source=source, at=at)
    for name, value in changed.items():
        setattr(paper, name, value)
    return bool(changed)
