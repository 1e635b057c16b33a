from django.db import migrations


class Migration(migrations.Migration):
    # It indexed the papers of a database that had some: `index_papers` does that at any time.
    dependencies = [("papers", "0002_searchtext")]

    operations = []
