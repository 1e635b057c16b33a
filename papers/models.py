"""Papers, their topics, the attention they get, and the state of their sources."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import quote

from django.db import models
from django.db.models import Case, Count, F, Prefetch, Q, When
from django.urls import reverse

from papers.identity import canonical_identifier
from papers.web.models import RateLimitCounter

__all__ = ["RateLimitCounter"]

# A paper trends for this many days after its listing.
TRENDING_WINDOW_DAYS = 7


class TopicQuerySet(models.QuerySet["Topic"]):
    def list_by_trending_count(self, *, on: date) -> list[Topic]:
        """Return the topics with most trending papers first, each with its count as `trending`.

        Two queries.
        """
        # Count from the week's papers: a join over all papers would get slower for ever.
        papers = Paper.objects.listed_between(on - timedelta(days=TRENDING_WINDOW_DAYS), on)
        counts = dict(
            Paper.topics.through.objects.filter(paper__in=papers)
            .values_list("topic_id")
            .annotate(Count("paper_id"))
        )
        topics = list(self.order_by("name"))
        for topic in topics:
            topic.trending = counts.get(topic.pk, 0)
        return sorted(topics, key=lambda topic: -topic.trending)


class Topic(models.Model):
    """A field of research that readers can follow; defined, with its rules, in topics.json."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)

    # The number of trending papers; set only by list_by_trending_count().
    trending: int

    objects = TopicQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("papers:topic", args=[self.slug])


class PaperQuerySet(models.QuerySet["Paper"]):
    def with_identifier(self, identifier: str) -> PaperQuerySet:
        """Return at most one paper: by arXiv id or DOI in any notation, or by its identity.

        Two arXiv papers may share a DOI. A paper whose identity is that DOI takes precedence.
        """
        canonical = canonical_identifier(identifier)
        if not canonical.isprintable():  # PostgreSQL rejects NUL in a parameter
            return self.none()
        candidates = Paper.objects.filter(Q(identity=canonical) | Q(doi=canonical)).order_by(
            Case(When(identity=canonical, then=0), default=1), "pk"
        )
        return self.filter(pk__in=candidates.values("pk")[:1])

    def listed_between(self, first: date, last: date) -> PaperQuerySet:
        """Return the papers listed from `first` to `last`, both days included."""
        return self.filter(listed_on__gte=first, listed_on__lte=last)

    def trending(self, *, on: date) -> PaperQuerySet:
        """Return the papers that trend on a day, highest score first, without withdrawn ones."""
        recent = self.listed_between(on - timedelta(days=TRENDING_WINDOW_DAYS), on)
        return recent.filter(withdrawn=False).by_score()

    def by_score(self) -> PaperQuerySet:
        return self.order_by("-score", "-listed_on", "identity")

    def newest_first(self) -> PaperQuerySet:
        return self.order_by("-sort_date", "-score", "identity")

    def with_topics(self) -> PaperQuerySet:
        return self.prefetch_related(Prefetch("topics", Topic.objects.order_by("name")))


class Paper(models.Model):
    """One paper, merged from the records of all sources that report it."""

    # The arXiv id without version, else the DOI, else a hash of title and first author.
    identity = models.CharField(max_length=255, unique=True)
    arxiv_id = models.CharField(max_length=32, blank=True, db_index=True)
    doi = models.CharField(max_length=255, blank=True, db_index=True)
    title_key = models.CharField(max_length=24, blank=True, db_index=True)
    title = models.CharField(max_length=500)
    abstract = models.TextField(blank=True)
    # One sentence written by a language model. Never show it without saying so.
    machine_summary = models.TextField(blank=True)
    authors = models.JSONField(default=list, blank=True)
    organization = models.CharField(max_length=200, blank=True)
    categories = models.JSONField(default=list, blank=True)
    keywords = models.JSONField(default=list, blank=True)
    published_on = models.DateField(null=True, blank=True)
    # The day a source first listed it; age and trending are counted from it.
    listed_on = models.DateField(null=True, blank=True, db_index=True)
    # The day of its listing, else of its publication, else of its import.
    sort_date = models.DateField(db_column="day")
    # Withdrawn by its authors or retracted by its publisher: it no longer trends.
    withdrawn = models.BooleanField(default=False)
    code_url = models.URLField(max_length=500, blank=True)
    project_url = models.URLField(max_length=500, blank=True)
    topics = models.ManyToManyField(Topic, related_name="papers", blank=True)
    added_at = models.DateTimeField(auto_now_add=True)
    # The source and date of each field's value: see papers/catalogue/precedence.py.
    field_sources = models.JSONField(default=dict, blank=True, db_column="tellers")

    # Derived from the readings by score_papers, which can recompute them at any time.
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
        """Return the Hugging Face page; only listed papers are certain to have one."""
        listed = self.arxiv_id and self.listed_on
        return f"https://huggingface.co/papers/{self.arxiv_id}" if listed else ""

    @property
    def byline(self) -> str:
        """Return up to four authors; of more, the first three and the number of the others."""
        names = self.authors
        if len(names) <= 4:
            return ", ".join(names)
        return f"{', '.join(names[:3])} and {len(names) - 3} more"


class SearchText(models.Model):
    """A paper's search document; written only by papers/search/engine.py."""

    paper = models.OneToOneField(
        Paper, primary_key=True, on_delete=models.CASCADE, related_name="search_text"
    )
    # A copy of Paper.sort_date: the search ranks only the newest matches.
    day = models.DateField()
    title = models.TextField(blank=True)
    people = models.TextField(blank=True)
    # Topics, categories and the arXiv id.
    labels = models.TextField(blank=True)
    abstract = models.TextField(blank=True)
    # Synthetic terms for filters; PostgreSQL only: see papers/search/index_terms.py.
    keys = models.TextField(blank=True, db_default="")

    def __str__(self) -> str:
        return f"search text of paper {self.paper_id}"


class Embedding(models.Model):
    """A paper's embedding; written only by papers/search/embeddings.py (extra `semantic`)."""

    # Ids only grow: a process that has loaded some rows loads only those with higher ids.
    id = models.BigAutoField(primary_key=True)
    paper = models.OneToOneField(Paper, on_delete=models.CASCADE, related_name="embedding")
    # The language model's name. Never compare vectors of different models.
    model = models.CharField(max_length=64)
    # One signed byte per dimension; only the direction has a meaning, not the length.
    vector = models.BinaryField()

    class Meta:
        indexes = (models.Index(fields=["model", "id"], name="embedding_by_model"),)

    def __str__(self) -> str:
        return f"embedding of paper {self.paper_id}"


class Reading(models.Model):
    """A metric's value at a moment; append-only."""

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
    """A source's polling state: schedules the next poll, and shows operators its health."""

    name = models.CharField(max_length=32, unique=True)
    asked_at = models.DateTimeField()
    # The last successful poll, and how many papers it returned.
    answered_at = models.DateTimeField(null=True, blank=True)
    papers = models.PositiveIntegerField(default=0)
    # The error of the last poll; empty if it succeeded.
    error = models.CharField(max_length=500, blank=True)
    # Consecutive failures: the more, the longer the pause before the next poll.
    failures = models.PositiveSmallIntegerField(default=0)
    # Where the next poll continues, in the source's own format.
    cursor = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "source statuses"

    def __str__(self) -> str:
        return f"{self.name}: {self.error or 'OK'}"


class CallSlot(models.Model):
    """The next free time to call a remote server: one row per server, shared by all workers."""

    name = models.CharField(max_length=64, unique=True)
    next_at = models.DateTimeField()

    class Meta:
        db_table = "papers_turn"

    def __str__(self) -> str:
        return f"{self.name} from {self.next_at:%H:%M:%S}"
