from django.db import migrations, models


class Migration(migrations.Migration):
    """Reword labels in the admin; no SQL."""

    dependencies = [
        ("subscribers", "0005_rename_in_python_only"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="unsubscribefeedback",
            options={"verbose_name_plural": "unsubscribe feedback"},
        ),
        migrations.AlterField(
            model_name="consent",
            name="form",
            field=models.CharField(
                choices=[
                    ("page", "Form on our pages"),
                    ("embed", "Form within another site"),
                    ("api", "Another site's own form"),
                    ("import", "Operator's list"),
                    ("command", "Command line"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="subscriber",
            name="left_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unsubscribed", "Unsubscribed"),
                    ("unreachable", "Repeated bounces"),
                    ("bounced", "Address does not exist"),
                    ("complained", "Reported as spam"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="suppression",
            name="reason",
            field=models.CharField(
                choices=[
                    ("unreachable", "Repeated bounces"),
                    ("bounced", "Address does not exist"),
                    ("complained", "Reported as spam"),
                    ("erased", "Erased on request"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="unsubscribefeedback",
            name="said_on",
            field=models.DateField(verbose_name="date"),
        ),
        migrations.AlterField(
            model_name="unsubscribefeedback",
            name="words",
            field=models.CharField(blank=True, max_length=500, verbose_name="comment"),
        ),
    ]
