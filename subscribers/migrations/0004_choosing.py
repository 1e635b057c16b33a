"""Add topic attitudes, follows, votes, pauses and the detail of papers."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

TABLE = "subscribers_preferences_topics"


def topic_choice_operations() -> list[Operation]:
    """Return the operations that turn the many-to-many table of topics into `TopicChoice`."""
    create = migrations.CreateModel(
        name="TopicChoice",
        fields=[
            (
                "id",
                models.BigAutoField(
                    auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                ),
            ),
            (
                "preferences",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="topic_choices",
                    to="subscribers.preferences",
                ),
            ),
            (
                "topic",
                models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="choices",
                    to="papers.topic",
                ),
            ),
        ],
        options={"db_table": TABLE, "unique_together": {("preferences", "topic")}},
    )
    through = migrations.AlterField(
        model_name="preferences",
        name="topics",
        field=models.ManyToManyField(
            blank=True,
            related_name="chosen_by",
            through="subscribers.TopicChoice",
            to="papers.topic",
        ),
    )
    return [create, through]


class Migration(migrations.Migration):
    dependencies = [
        ("papers", "0008_hits"),
        ("subscribers", "0003_consent"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=topic_choice_operations()),
        migrations.AlterModelTable(name="topicchoice", table=None),
        migrations.AlterUniqueTogether(name="topicchoice", unique_together=set()),
        migrations.AddConstraint(
            model_name="topicchoice",
            constraint=models.UniqueConstraint(
                fields=["preferences", "topic"], name="one_attitude_to_each_topic"
            ),
        ),
        migrations.CreateModel(
            name="Follow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("author", "Author"),
                            ("category", "arXiv category"),
                            ("keyword", "Keyword or phrase"),
                        ],
                        max_length=16,
                    ),
                ),
                ("key", models.CharField(max_length=200)),
                ("label", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Vote",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "verb",
                    models.CharField(
                        choices=[("more", "More like this"), ("less", "Less like this")],
                        max_length=16,
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="preferences",
            name="detail",
            field=models.CharField(
                choices=[
                    ("titles", "Titles only"),
                    ("short", "The beginning of each abstract"),
                    ("full", "Full abstracts"),
                ],
                default="short",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="preferences",
            name="learning",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="preferences",
            name="minimum",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="preferences",
            name="paused_until",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="topicchoice",
            name="attitude",
            field=models.CharField(
                choices=[("follow", "Follow"), ("prefer", "Prefer"), ("mute", "Mute")],
                default="follow",
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="preferences",
            constraint=models.CheckConstraint(
                condition=models.Q(("minimum__gte", 1), ("minimum__lte", 20)),
                name="minimum_of_papers_is_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="preferences",
            constraint=models.CheckConstraint(
                condition=models.Q(("detail__in", ["titles", "short", "full"])),
                name="detail_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="topicchoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("attitude__in", ["follow", "prefer", "mute"])),
                name="attitude_is_known",
            ),
        ),
        migrations.AddField(
            model_name="follow",
            name="subscriber",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="follows",
                to="subscribers.subscriber",
            ),
        ),
        migrations.AddField(
            model_name="vote",
            name="paper",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="votes", to="papers.paper"
            ),
        ),
        migrations.AddField(
            model_name="vote",
            name="subscriber",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="votes",
                to="subscribers.subscriber",
            ),
        ),
        migrations.AddIndex(
            model_name="follow",
            index=models.Index(fields=["kind", "key"], name="follow_by_key"),
        ),
        migrations.AddConstraint(
            model_name="follow",
            constraint=models.UniqueConstraint(
                fields=("subscriber", "kind", "key"), name="nothing_is_followed_twice"
            ),
        ),
        migrations.AddConstraint(
            model_name="follow",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["author", "category", "keyword"])),
                name="follow_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="follow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("key", ""), _negated=True), models.Q(("label", ""), _negated=True)
                ),
                name="follow_is_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="vote",
            constraint=models.UniqueConstraint(
                fields=("subscriber", "paper"), name="one_vote_of_a_reader_on_a_paper"
            ),
        ),
        migrations.AddConstraint(
            model_name="vote",
            constraint=models.CheckConstraint(
                condition=models.Q(("verb__in", ["more", "less"])), name="vote_verb_is_known"
            ),
        ),
    ]
