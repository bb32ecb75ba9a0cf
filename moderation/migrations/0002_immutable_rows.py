"""Evidence is immutable: the database itself refuses UPDATE and DELETE on what is only ever added."""

from django.db import migrations

TABLES = (
    "moderation_auditevent",
    "moderation_auditroot",
    "moderation_finding",
    "moderation_policyversion",
    "moderation_triageplan",
    "classifiers_classifierversion",
)

FUNCTION = """
CREATE FUNCTION loupe_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed or removed: to change is to add', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
$$
"""


def trigger(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION loupe_refuse_change()",
        f"DROP TRIGGER {table}_immutable ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("moderation", "0001_initial"), ("classifiers", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION loupe_refuse_change()"),
        *(trigger(table) for table in TABLES),
    ]
