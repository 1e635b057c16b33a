from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from papers.migrations import _frozen_0006_0009 as frozen

BATCH = 500


def fill_identity(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    Paper = apps.get_model("papers", "Paper")
    batch = []
    for paper in Paper.objects.order_by("pk").iterator(BATCH):
        paper.identity = paper.arxiv_id
        paper.title_key = frozen.title_key(paper.title)
        paper.day = paper.listed_on
        batch.append(paper)
        if len(batch) == BATCH:
            Paper.objects.bulk_update(batch, ["identity", "title_key", "day"])
            batch = []
    Paper.objects.bulk_update(batch, ["identity", "title_key", "day"])


class Migration(migrations.Migration):
    dependencies = [("papers", "0005_identity")]

    operations = [migrations.RunPython(fill_identity, migrations.RunPython.noop)]
