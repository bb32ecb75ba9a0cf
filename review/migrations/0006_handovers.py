from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0005_votes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="claim",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("decided", "Decided"),
                    ("released", "Released"),
                    ("expired", "Lease ended"),
                    ("sent", "Sent on"),
                    ("taken", "Taken over by a lead"),
                ],
                default="",
                max_length=10,
            ),
        ),
    ]
