from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("papers", "0004_turns"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="reading",
            name="reading_source_is_known",
        ),
        migrations.RemoveIndex(
            model_name="paper",
            name="paper_by_score",
        ),
        migrations.RemoveIndex(
            model_name="searchtext",
            name="search_text_newest",
        ),
        migrations.RenameField(
            model_name="searchtext",
            old_name="listed_on",
            new_name="day",
        ),
        migrations.AddField(
            model_name="paper",
            name="day",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="paper",
            name="doi",
            field=models.CharField(blank=True, db_index=True, max_length=255),
        ),
        migrations.AddField(
            model_name="paper",
            name="identity",
            field=models.CharField(max_length=255, null=True),
        ),
        migrations.AddField(
            model_name="paper",
            name="tellers",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="paper",
            name="title_key",
            field=models.CharField(blank=True, db_index=True, max_length=24),
        ),
        migrations.AddField(
            model_name="paper",
            name="withdrawn",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="sourcestatus",
            name="cursor",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="sourcestatus",
            name="failures",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="paper",
            name="arxiv_id",
            field=models.CharField(blank=True, db_index=True, max_length=32),
        ),
        migrations.AlterField(
            model_name="paper",
            name="listed_on",
            field=models.DateField(blank=True, db_index=True, null=True),
        ),
        migrations.AlterField(
            model_name="paper",
            name="published_on",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="reading",
            name="source",
            field=models.CharField(
                choices=[
                    ("huggingface-upvotes", "Upvotes on Hugging Face"),
                    ("huggingface-comments", "Comments on Hugging Face"),
                    ("github-stars", "Stars on GitHub"),
                    ("semanticscholar-citations", "Citations by Semantic Scholar"),
                    ("semanticscholar-influential", "Influential citations by Semantic Scholar"),
                    ("openalex-citations", "Citations by OpenAlex"),
                ],
                max_length=32,
            ),
        ),
        migrations.AddIndex(
            model_name="paper",
            index=models.Index(
                models.OrderBy(models.F("score"), descending=True),
                models.F("identity"),
                name="paper_by_score",
            ),
        ),
        migrations.AddIndex(
            model_name="paper",
            index=models.Index(
                models.OrderBy(models.F("day"), descending=True),
                models.OrderBy(models.F("score"), descending=True),
                models.F("identity"),
                name="paper_by_day",
            ),
        ),
        migrations.AddIndex(
            model_name="searchtext",
            index=models.Index(fields=["-day", "-paper"], name="search_text_newest"),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "source__in",
                        [
                            "huggingface-upvotes",
                            "huggingface-comments",
                            "github-stars",
                            "semanticscholar-citations",
                            "semanticscholar-influential",
                            "openalex-citations",
                        ],
                    )
                ),
                name="reading_source_is_known",
            ),
        ),
    ]
