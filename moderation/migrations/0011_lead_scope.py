from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("moderation", "0010_request_severity"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": [
                    ("submissions:write", "Send submissions"),
                    ("submissions:read", "Read submissions"),
                    ("prompts:check", "Check prompts before an image is made"),
                    ("review", "Claim and decide review requests"),
                    ("review:escalated", "Claim and decide what others escalated"),
                    ("review:lead", "See who holds what, and take it over"),
                    ("policy", "Write guidelines, publish and roll back plans"),
                    ("policy:read", "Read guidelines and plans"),
                    ("banks", "Keep the banks of known images"),
                    ("banks:add", "Add images that one decided on to a bank"),
                    ("exports", "Export labelled feedback"),
                    ("ml", "Train and adopt classifiers"),
                    ("audit", "Read the audit log"),
                    ("admin", "Manage people, clients and keys"),
                ]
            },
        ),
    ]
