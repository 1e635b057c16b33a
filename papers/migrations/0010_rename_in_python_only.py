from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    """Give models and fields better Python names; no table, column or index changes."""

    dependencies = [("papers", "0009_quicker_search")]

    operations = [
        migrations.AlterModelTable("turn", "papers_turn"),
        migrations.AlterModelTable("hits", "papers_hits"),
        migrations.RenameModel("Turn", "CallSlot"),
        migrations.RenameModel("Hits", "RateLimitCounter"),
        migrations.AlterModelOptions("ratelimitcounter", {}),
        migrations.AlterField("paper", "day", models.DateField(db_column="day")),
        migrations.AlterField(
            "paper", "tellers", models.JSONField(blank=True, db_column="tellers", default=dict)
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("paper", "paper_by_day"),
                migrations.RenameField("paper", "day", "sort_date"),
                migrations.RenameField("paper", "tellers", "field_sources"),
                migrations.AddIndex(
                    "paper",
                    models.Index(
                        F("sort_date").desc(),
                        F("score").desc(),
                        F("identity"),
                        name="paper_by_day",
                    ),
                ),
            ]
        ),
    ]
