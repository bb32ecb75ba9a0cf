from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Every process, the web's too, must know the Celery app before a door says `.delay`."""
        from config import celery  # noqa: F401
