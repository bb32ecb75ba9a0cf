"""The desk's pages and API."""

from __future__ import annotations

from django.urls import include, path, register_converter

from review.views.home import home
from review.views.images import VariantConverter, image

register_converter(VariantConverter, "variant")

urlpatterns = [
    path("", home, name="home"),
    path("images/<uuid:submission>/<variant:variant>.jpg", image, name="review-image"),
    path("api/v1/", include("review.api.urls")),
]
