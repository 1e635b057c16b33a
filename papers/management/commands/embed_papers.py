"""Embed papers, for semantic search and related papers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from papers.search import embeddings, encoder


class Command(BaseCommand):
    help = (
        "Embed the newest papers that have no vector yet, for semantic search and related papers. "
        "Needs the optional extra `semantic`. Workers embed newly fetched papers automatically. "
        "Safe to stop and to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--most",
            type=int,
            default=embeddings.MAX_INDEXED_PAPERS,
            help="maximum number of papers (default: %(default)s)",
        )

    def handle(self, **options: Any) -> None:
        if options["most"] < 1:
            raise CommandError("--most is a number of papers, at least 1.")
        try:
            encoder.load_model()
        except encoder.EncoderUnavailableError as error:
            raise CommandError(str(error)) from None
        total = min(options["most"], embeddings.papers_without_embedding().count())
        console = Console(stderr=True)
        embedded = 0
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("Embedding papers", total=total)
            for batch_size in embeddings.embed_missing(limit=options["most"]):
                embedded += batch_size
                progress.update(task, completed=embedded)
        remaining = embeddings.papers_without_embedding().count()
        self.stdout.write(f"Embedded {embedded} papers; {remaining} have no vector.")
