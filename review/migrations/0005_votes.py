from django.db import migrations, models

# Answers to gold items moved nothing before, either.
GOLD = """
UPDATE review_effect effect SET settles = false
FROM review_decision decision
JOIN review_claim claim ON claim.id = decision.claim_id
JOIN moderation_reviewrequest request ON request.id = claim.request_id
WHERE effect.decision_id = decision.id AND request.reason = 'gold'
"""


class Migration(migrations.Migration):
    dependencies = [("review", "0004_wellness")]

    operations = [
        migrations.AddField(
            model_name="effect",
            name="settles",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="Not a vote that waits for others, nor an answer to a gold item.",
            ),
        ),
        migrations.RunSQL(GOLD, migrations.RunSQL.noop),
    ]
