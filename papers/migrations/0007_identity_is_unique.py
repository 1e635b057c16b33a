from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("papers", "0006_fill_identity")]

    operations = [
        migrations.AlterField(
            model_name="paper",
            name="identity",
            field=models.CharField(max_length=255, unique=True),
        ),
        migrations.AlterField(model_name="paper", name="day", field=models.DateField()),
        migrations.AddConstraint(
            model_name="paper",
            constraint=models.CheckConstraint(
                condition=~models.Q(identity=""), name="paper_has_an_identity"
            ),
        ),
    ]
