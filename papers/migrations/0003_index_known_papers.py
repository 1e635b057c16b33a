from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from papers.search import BATCH, columns


def index_known_papers(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    Paper = apps.get_model("papers", "Paper")
    SearchText = apps.get_model("papers", "SearchText")
    rows = []
    for paper in Paper.objects.prefetch_related("topics").order_by("pk").iterator(BATCH):
        topics = [
            text
            for topic in sorted(paper.topics.all(), key=lambda topic: topic.slug)
            for text in (topic.name, topic.slug)
        ]
        rows.append(SearchText(paper_id=paper.pk, **columns(paper, topics)))
        if len(rows) == BATCH:
            SearchText.objects.bulk_create(rows)
            rows = []
    SearchText.objects.bulk_create(rows)


class Migration(migrations.Migration):
    dependencies = [("papers", "0002_searchtext")]

    operations = [migrations.RunPython(index_known_papers, migrations.RunPython.noop)]
