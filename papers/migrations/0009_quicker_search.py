import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from papers.migrations import _frozen_0006_0009 as frozen

BATCH = 500

# The words of a title stand in the row itself, all else beside it: thousands of rows are looked at
# to answer a question, and one is 300 bytes instead of 2,000.
# One statement, for it writes the table anew, and is to write each row as it will be kept.
POSTGRESQL = (
    """
    ALTER TABLE papers_searchtext
        SET (toast_tuple_target = 256),
        DROP COLUMN document,
        ADD COLUMN document tsvector NOT NULL GENERATED ALWAYS AS (
            setweight(to_tsvector('simple'::regconfig, title), 'A')
            || setweight(to_tsvector('simple'::regconfig, people), 'B')
            || setweight(to_tsvector('simple'::regconfig, labels), 'C')
            || setweight(to_tsvector('simple'::regconfig, abstract), 'D')
            || array_to_tsvector(string_to_array(keys, ' '))
        ) STORED,
        ADD COLUMN headline tsvector NOT NULL
            GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, title)) STORED,
        ALTER COLUMN headline SET STORAGE MAIN,
        ALTER COLUMN document SET STORAGE EXTERNAL
    """,
    "CREATE INDEX papers_searchtext_document ON papers_searchtext USING gin (document)",
)
BEFORE = (
    """
    ALTER TABLE papers_searchtext
        RESET (toast_tuple_target),
        DROP COLUMN headline,
        DROP COLUMN document,
        ADD COLUMN document tsvector NOT NULL GENERATED ALWAYS AS (
            setweight(to_tsvector('simple'::regconfig, title), 'A')
            || setweight(to_tsvector('simple'::regconfig, people), 'B')
            || setweight(to_tsvector('simple'::regconfig, labels), 'C')
            || setweight(to_tsvector('simple'::regconfig, abstract), 'D')
        ) STORED
    """,
    "CREATE INDEX papers_searchtext_document ON papers_searchtext USING gin (document)",
)


def add_keys(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Fill the new columns of existing papers, as indexing does from now on."""
    SearchText = apps.get_model("papers", "SearchText")
    known = SearchText.objects.select_related("paper").prefetch_related("paper__topics")
    rows = []
    for row in known.order_by("pk").iterator(BATCH):
        names = [
            frozen.tokenize(text)
            for topic in row.paper.topics.all()
            for text in (topic.name, topic.slug)
        ]
        before = row.labels.split()
        found = {word for word in before if word.startswith(("incategory", "intopic"))}
        labels = [word for word in before if word not in found]
        row.labels = " ".join([*labels, *sorted(found | set(frozen.topic_terms(names)))])
        if schema_editor.connection.vendor == "postgresql":
            columns = {name: getattr(row, name) for name in ("day", *frozen.COLUMNS)}
            row.keys = frozen.index_terms(columns)
        rows.append(row)
        if len(rows) == BATCH:
            SearchText.objects.bulk_update(rows, ["labels", "keys"])
            rows = []
    SearchText.objects.bulk_update(rows, ["labels", "keys"])


def narrow(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for statement in POSTGRESQL:
            schema_editor.execute(statement, params=None)


def widen(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for statement in BEFORE:
            schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("papers", "0008_hits")]

    operations = [
        # To walk by day meant to look into every document on the way.
        migrations.RemoveIndex(model_name="searchtext", name="search_text_newest"),
        # Not AddField: SQLite would make the table anew, without its triggers.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE papers_searchtext ADD COLUMN keys text NOT NULL DEFAULT ''",
                    "ALTER TABLE papers_searchtext DROP COLUMN keys",
                )
            ],
            state_operations=[
                migrations.AddField(
                    model_name="searchtext",
                    name="keys",
                    field=models.TextField(blank=True, db_default=""),
                )
            ],
        ),
        migrations.RunPython(add_keys, migrations.RunPython.noop),
        migrations.RunPython(narrow, widen),
        migrations.CreateModel(
            name="Embedding",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("model", models.CharField(max_length=64)),
                ("vector", models.BinaryField()),
                (
                    "paper",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="embedding",
                        to="papers.paper",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["model", "id"], name="embedding_by_model")],
            },
        ),
    ]
