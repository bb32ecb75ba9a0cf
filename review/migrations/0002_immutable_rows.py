"""Decisions and data sets are evidence: the database refuses to change or remove them."""

from django.db import migrations

TABLES = ("review_decision", "review_dataset")


def trigger(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION loupe_refuse_change()",
        f"DROP TRIGGER {table}_immutable ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("review", "0001_initial"), ("moderation", "0002_immutable_rows")]

    operations = [trigger(table) for table in TABLES]
