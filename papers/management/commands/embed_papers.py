"""Find out what papers are about, for results and related papers by meaning."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from papers.search import embeddings, encoder


class Command(BaseCommand):
    help = (
        "Find out what the newest papers are about, as vectors; those that have one are left "
        "alone. Needs the extra `semantic`. Workers do it by themselves for what is taken in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--most",
            type=int,
            default=embeddings.MAX_INDEXED_PAPERS,
            help="how many papers (%(default)s)",
        )

    def handle(self, **options: Any) -> None:
        if options["most"] < 1:
            raise CommandError("--most is a number of papers, from 1.")
        try:
            encoder.load_model()
        except encoder.EncoderUnavailableError as error:
            raise CommandError(str(error)) from None
        total = min(options["most"], embeddings.papers_without_embedding().count())
        console = Console(stderr=True)
        made = 0
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("Reading papers", total=total)
            for number in embeddings.embed_missing(limit=options["most"]):
                made += number
                progress.update(task, completed=made)
        self.stdout.write(
            f"Embedded {made} papers; {embeddings.papers_without_embedding().count()} have no vector."
        )
