"""Wiring: settings, urls, Celery, WSGI, embedded services. No rules live here."""
