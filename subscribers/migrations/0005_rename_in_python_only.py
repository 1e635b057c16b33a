from django.db import migrations


class Migration(migrations.Migration):
    """Give a model a better Python name; its table stays."""

    dependencies = [("subscribers", "0004_choosing")]

    operations = [
        migrations.AlterModelTable("farewell", "subscribers_farewell"),
        migrations.RenameModel("Farewell", "UnsubscribeFeedback"),
    ]
