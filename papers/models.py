"""What was published, and who noticed."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import quote

from django.db import models
from django.db.models import Case, Count, F, Prefetch, Q, When
from django.urls import reverse

from papers.identity import canonical_identifier
from papers.web.models import RateLimitCounter

__all__ = ["RateLimitCounter"]

# A paper that was listed longer ago than this no longer trends.
TRENDING_WINDOW_DAYS = 7


class TopicQuerySet(models.QuerySet["Topic"]):
    def list_by_trending_count(self, *, on: date) -> list[Topic]:
        """Each with how many of its papers trend that day, as `trending`."""
        # From the week's papers to their topics: a join over all papers would grow for ever.
        papers = Paper.objects.listed_between(on - timedelta(days=TRENDING_WINDOW_DAYS), on)
        counts = dict(
            Paper.topics.through.objects.filter(paper__in=papers)
            .values_list("topic_id")
            .annotate(Count("paper_id"))
        )
        found = list(self.order_by("name"))
        for each in found:
            each.trending = counts.get(each.pk, 0)
        return sorted(found, key=lambda each: -each.trending)


class Topic(models.Model):
    """A field of research that readers can follow; its rules are in topics.json."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)

    # How many of its papers trend; filled by busiest_first().
    trending: int

    objects = TopicQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("papers:topic", args=[self.slug])


class PaperQuerySet(models.QuerySet["Paper"]):
    def with_identifier(self, identifier: str) -> PaperQuerySet:
        """The paper of an arXiv id or a DOI, however written, or of its own identity: one at most.

        Two that were both published may have one DOI: the one that is named by it comes first.
        """
        if not (
            name := canonical_identifier(identifier)
        ).isprintable():  # PostgreSQL refuses to look for a NUL
            return self.none()
        known = Paper.objects.filter(Q(identity=name) | Q(doi=name)).order_by(
            Case(When(identity=name, then=0), default=1), "pk"
        )
        return self.filter(pk__in=known.values("pk")[:1])

    def listed_between(self, first: date, last: date) -> PaperQuerySet:
        """Both days included."""
        return self.filter(listed_on__gte=first, listed_on__lte=last)

    def trending(self, *, on: date) -> PaperQuerySet:
        """What a visitor sees on a day, the hottest first."""
        fresh = self.listed_between(on - timedelta(days=TRENDING_WINDOW_DAYS), on)
        return fresh.filter(withdrawn=False).by_score()

    def by_score(self) -> PaperQuerySet:
        return self.order_by("-score", "-listed_on", "identity")

    def newest_first(self) -> PaperQuerySet:
        return self.order_by("-sort_date", "-score", "identity")

    def with_topics(self) -> PaperQuerySet:
        return self.prefetch_related(Prefetch("topics", Topic.objects.order_by("name")))


class Paper(models.Model):
    """One paper, whichever sources told of it."""

    # Its arXiv id without a version, else its DOI, else a key of its title and first author.
    identity = models.CharField(max_length=255, unique=True)
    arxiv_id = models.CharField(max_length=32, blank=True, db_index=True)
    doi = models.CharField(max_length=255, blank=True, db_index=True)
    title_key = models.CharField(max_length=24, blank=True, db_index=True)
    title = models.CharField(max_length=500)
    abstract = models.TextField(blank=True)
    # A machine's one-sentence summary, shown only with that said beside it.
    machine_summary = models.TextField(blank=True)
    authors = models.JSONField(default=list, blank=True)
    organization = models.CharField(max_length=200, blank=True)
    categories = models.JSONField(default=list, blank=True)
    keywords = models.JSONField(default=list, blank=True)
    published_on = models.DateField(null=True, blank=True)
    # The day a source first put it before its readers: what age is counted from.
    listed_on = models.DateField(null=True, blank=True, db_index=True)
    # Of its listing, else of its publication, else of its import.
    sort_date = models.DateField(db_column="day")
    # By its authors, or retracted by its publisher: it trends no more.
    withdrawn = models.BooleanField(default=False)
    code_url = models.URLField(max_length=500, blank=True)
    project_url = models.URLField(max_length=500, blank=True)
    topics = models.ManyToManyField(Topic, related_name="papers", blank=True)
    added_at = models.DateTimeField(auto_now_add=True)
    # Who told each field, and as of when: see papers/catalogue/precedence.py.
    field_sources = models.JSONField(default=dict, blank=True, db_column="tellers")

    # Derived from the readings by score_papers; may be recomputed at will.
    score = models.FloatField(default=0.0)
    upvotes = models.PositiveIntegerField(default=0)
    comments = models.PositiveIntegerField(default=0)
    stars = models.PositiveIntegerField(null=True, blank=True)
    scored_at = models.DateTimeField(null=True, blank=True)

    objects = PaperQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(F("score").desc(), F("identity"), name="paper_by_score"),
            models.Index(
                F("sort_date").desc(), F("score").desc(), F("identity"), name="paper_by_day"
            ),
        )
        constraints = (
            models.CheckConstraint(condition=~Q(identity=""), name="paper_has_an_identity"),
        )

    def __str__(self) -> str:
        return self.identity

    def get_absolute_url(self) -> str:
        return reverse("papers:paper", args=[self.identity])

    @property
    def arxiv_url(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv_id}" if self.arxiv_id else ""

    @property
    def pdf_url(self) -> str:
        return f"https://arxiv.org/pdf/{self.arxiv_id}" if self.arxiv_id else ""

    @property
    def doi_url(self) -> str:
        return f"https://doi.org/{quote(self.doi)}" if self.doi else ""

    @property
    def discussion_url(self) -> str:
        """Where people talk about it: only what is listed has such a page for sure."""
        listed = self.arxiv_id and self.listed_on
        return f"https://huggingface.co/papers/{self.arxiv_id}" if listed else ""

    @property
    def byline(self) -> str:
        """Up to three authors by name, the rest counted."""
        names = self.authors
        if len(names) <= 4:
            return ", ".join(names)
        return f"{', '.join(names[:3])} and {len(names) - 3} more"


class SearchText(models.Model):
    """A paper's words as the search looks them up; written by papers/search/engine.py only."""

    paper = models.OneToOneField(
        Paper, primary_key=True, on_delete=models.CASCADE, related_name="search_text"
    )
    # As the paper's: only the newest matches are ranked.
    day = models.DateField()
    title = models.TextField(blank=True)
    people = models.TextField(blank=True)
    # Topics, categories and the arXiv id.
    labels = models.TextField(blank=True)
    abstract = models.TextField(blank=True)
    # What PostgreSQL finds other things than words by: papers/search/index_terms.py.
    keys = models.TextField(blank=True, db_default="")

    def __str__(self) -> str:
        return f"words of paper {self.paper_id}"


class Embedding(models.Model):
    """What a paper is about, as a vector; written by papers/search/embeddings.py, where its extra is."""

    # Numbers rise with time: whoever has loaded some loads only those after.
    id = models.BigAutoField(primary_key=True)
    paper = models.OneToOneField(Paper, on_delete=models.CASCADE, related_name="embedding")
    # Only vectors of the same model can be compared.
    model = models.CharField(max_length=64)
    # A signed byte for each dimension; its length says nothing.
    vector = models.BinaryField()

    class Meta:
        indexes = (models.Index(fields=["model", "id"], name="embedding_by_model"),)

    def __str__(self) -> str:
        return f"vector of paper {self.paper_id}"


class Reading(models.Model):
    """One observation of attention; append-only."""

    class Metric(models.TextChoices):
        HUGGINGFACE_UPVOTES = "huggingface-upvotes", "Upvotes on Hugging Face"
        HUGGINGFACE_COMMENTS = "huggingface-comments", "Comments on Hugging Face"
        GITHUB_STARS = "github-stars", "Stars on GitHub"
        SEMANTIC_SCHOLAR_CITATIONS = "semanticscholar-citations", "Citations by Semantic Scholar"
        SEMANTIC_SCHOLAR_INFLUENTIAL = (
            "semanticscholar-influential",
            "Influential citations by Semantic Scholar",
        )
        OPENALEX_CITATIONS = "openalex-citations", "Citations by OpenAlex"

    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="readings")
    source = models.CharField(max_length=32, choices=Metric)
    value = models.PositiveIntegerField()
    observed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["paper", "source", "observed_at"], name="one_reading_per_source_and_moment"
            ),
            models.CheckConstraint(
                condition=Q(
                    source__in=[
                        "huggingface-upvotes",
                        "huggingface-comments",
                        "github-stars",
                        "semanticscholar-citations",
                        "semanticscholar-influential",
                        "openalex-citations",
                    ]
                ),
                name="reading_source_is_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.value} at {self.observed_at:%Y-%m-%d %H:%M}"


class SourceStatus(models.Model):
    """When a source was last asked, and how that went: for the next tick, and for the operator."""

    name = models.CharField(max_length=32, unique=True)
    asked_at = models.DateTimeField()
    # The last time it answered, and with how many papers.
    answered_at = models.DateTimeField(null=True, blank=True)
    papers = models.PositiveIntegerField(default=0)
    # What went wrong the last time; empty when nothing did.
    error = models.CharField(max_length=500, blank=True)
    # How many times in a row it went wrong: each time it is left alone for longer.
    failures = models.PositiveSmallIntegerField(default=0)
    # Where to go on the next time, in the source's own words.
    cursor = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "source statuses"

    def __str__(self) -> str:
        return f"{self.name}: {self.error or 'well'}"


class CallSlot(models.Model):
    """When a server of somebody else's may be called next: one row each, shared by all workers."""

    name = models.CharField(max_length=64, unique=True)
    next_at = models.DateTimeField()

    class Meta:
        db_table = "papers_turn"

    def __str__(self) -> str:
        return f"{self.name} from {self.next_at:%H:%M:%S}"
