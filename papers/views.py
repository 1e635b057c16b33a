"""Pages of papers and topics, and the search."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from papers.models import Paper, Reading, Topic
from papers.search import engine, query
from papers.search.results import related_papers, search_papers
from papers.trends import sparkline
from papers.web.pagination import get_page_or_404

Metric = Reading.Metric

PAPERS_PER_PAGE = 30
# Fewer than in a list: a result shows its whole abstract.
RESULTS_PER_PAGE = 20


@require_safe
@cache_control(public=True, max_age=60)
def papers(request: HttpRequest) -> HttpResponse:
    if typed := request.GET.get("q", "").strip():
        return search_results(request, typed)
    newest = Paper.objects.newest_first().with_topics()
    page = get_page_or_404(request, newest, page_size=PAPERS_PER_PAGE)
    return render(request, "papers/papers.html", {"page": page})


def search_results(request: HttpRequest, raw_query: str) -> HttpResponse:
    parsed = query.parse_query(raw_query)
    offset = (page_number(request) - 1) * RESULTS_PER_PAGE
    results = search_papers(parsed, offset=offset, limit=RESULTS_PER_PAGE)
    # The search box shows only the part of the query that was parsed.
    searched_text = raw_query[: query.MAX_QUERY_CHARS]
    context = {
        "query_text": "".join(char for char in searched_text if char.isprintable()),
        "query": parsed,
        "results": results,
        "result_page": results.page,
        "page": get_page_or_404(request, range(results.page.total), page_size=RESULTS_PER_PAGE),
    }
    return render(request, "papers/results.html", context)


def page_number(request: HttpRequest) -> int:
    """Return `?page=`; raise Http404 if no search can have that page."""
    try:
        number = int(request.GET.get("page", 1))
    except ValueError:
        raise Http404 from None
    if not 1 <= number <= engine.MAX_RESULTS // RESULTS_PER_PAGE:
        raise Http404
    return number


@require_safe
@cache_control(public=True, max_age=60)
def paper(request: HttpRequest, identity: str) -> HttpResponse:
    papers = Paper.objects.select_related("entry__edition").with_topics()
    paper = get_object_or_404(papers.with_identifier(identity))
    if paper.identity != identity:
        return redirect(paper)
    readings = paper.readings.order_by("observed_at").values_list("source", "observed_at", "value")
    latest = {metric: value for metric, _, value in readings}
    upvotes = [
        (moment, value)
        for metric, moment, value in readings
        if metric == Metric.HUGGINGFACE_UPVOTES
    ]
    openalex_citations = latest.get(Metric.OPENALEX_CITATIONS)
    context = {
        "paper": paper,
        "upvote_history": upvotes,
        "citations": latest.get(Metric.SEMANTIC_SCHOLAR_CITATIONS, openalex_citations),
        "influential": latest.get(Metric.SEMANTIC_SCHOLAR_INFLUENTIAL),
        "related": related_papers(paper),
        "sparkline": sparkline.points(upvotes, width=160, height=40),
        "topics": Topic.objects.list_by_trending_count(on=timezone.now().date()),
        "chosen": {topic.slug for topic in paper.topics.all()},
    }
    return render(request, "papers/paper.html", context)


@require_safe
@cache_control(public=True, max_age=60)
def topics(request: HttpRequest) -> HttpResponse:
    context = {"topics": Topic.objects.list_by_trending_count(on=timezone.now().date())}
    return render(request, "papers/topics.html", context)


@require_safe
@cache_control(public=True, max_age=60)
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    today = timezone.now().date()
    topic = get_object_or_404(Topic, slug=slug)
    context = {
        "topic": topic,
        "papers": topic.papers.trending(on=today).with_topics()[:PAPERS_PER_PAGE],
        "topics": Topic.objects.list_by_trending_count(on=today),
        "chosen": {slug},
    }
    return render(request, "papers/topic.html", context)
