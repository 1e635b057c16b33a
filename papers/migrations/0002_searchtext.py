import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Whoever alters this table later: SQLite then makes it anew, and its triggers must be made again.

POSTGRESQL = (
    """
    ALTER TABLE papers_searchtext ADD COLUMN document tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('simple'::regconfig, title), 'A')
        || setweight(to_tsvector('simple'::regconfig, people), 'B')
        || setweight(to_tsvector('simple'::regconfig, labels), 'C')
        || setweight(to_tsvector('simple'::regconfig, abstract), 'D')
    ) STORED
    """,
    "CREATE INDEX papers_searchtext_document ON papers_searchtext USING gin (document)",
)
# An index over the rows, not a second copy of them.
SQLITE = (
    """
    CREATE VIRTUAL TABLE papers_searchtext_fts USING fts5 (
        title, people, labels, abstract,
        content='papers_searchtext', content_rowid='paper_id',
        tokenize='unicode61 remove_diacritics 0'
    )
    """,
    """
    CREATE TRIGGER papers_searchtext_inserted AFTER INSERT ON papers_searchtext BEGIN
        INSERT INTO papers_searchtext_fts (rowid, title, people, labels, abstract)
        VALUES (new.paper_id, new.title, new.people, new.labels, new.abstract);
    END
    """,
    """
    CREATE TRIGGER papers_searchtext_deleted AFTER DELETE ON papers_searchtext BEGIN
        INSERT INTO papers_searchtext_fts
            (papers_searchtext_fts, rowid, title, people, labels, abstract)
        VALUES ('delete', old.paper_id, old.title, old.people, old.labels, old.abstract);
    END
    """,
    """
    CREATE TRIGGER papers_searchtext_updated AFTER UPDATE ON papers_searchtext BEGIN
        INSERT INTO papers_searchtext_fts
            (papers_searchtext_fts, rowid, title, people, labels, abstract)
        VALUES ('delete', old.paper_id, old.title, old.people, old.labels, old.abstract);
        INSERT INTO papers_searchtext_fts (rowid, title, people, labels, abstract)
        VALUES (new.paper_id, new.title, new.people, new.labels, new.abstract);
    END
    """,
)


def add_index(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    statements = POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in statements:
        schema_editor.execute(statement, params=None)


def remove_index(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # The rest goes with the table.
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE papers_searchtext_fts", params=None)
        for name in ("inserted", "deleted", "updated"):
            schema_editor.execute(f"DROP TRIGGER papers_searchtext_{name}", params=None)


class Migration(migrations.Migration):
    dependencies = [("papers", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="SearchText",
            fields=[
                (
                    "paper",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_text",
                        serialize=False,
                        to="papers.paper",
                    ),
                ),
                ("listed_on", models.DateField()),
                ("title", models.TextField(blank=True)),
                ("people", models.TextField(blank=True)),
                ("labels", models.TextField(blank=True)),
                ("abstract", models.TextField(blank=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-listed_on", "-paper"], name="search_text_newest"),
                ],
            },
        ),
        migrations.RunPython(add_index, remove_index),
    ]
