"""The desk's pages and API."""

from __future__ import annotations

from django.urls import include, path, register_converter

from review.views import bulk, comparisons, concepts, desk, grid, held, keys, past, queues, releases, search, wellness
from review.views.home import home
from review.views.images import VariantConverter, image

register_converter(VariantConverter, "variant")

urlpatterns = [
    path("", home, name="home"),
    path("queues/", queues.index, name="queues"),
    path("queues/claims/<uuid:pk>/take-over/", queues.take_over, name="claim_take_over"),
    path("desk/", desk.index, name="desk"),
    path("desk/history", past.history, name="desk-history"),
    path("desk/history/<uuid:pk>/reopen", past.reopen, name="desk-reopen"),
    path("desk/colleagues", past.colleagues, name="desk-colleagues"),
    path("desk/keys", keys.move, name="desk-keys"),
    path("desk/heartbeat", desk.heartbeat, name="desk-heartbeat"),
    path("desk/release", desk.release, name="desk-release"),
    path("desk/<slug:name>/", desk.desk, name="desk-queue"),
    path("desk/<slug:name>/claim", desk.claim, name="desk-claim"),
    path("held/", held.index, name="held"),
    path("held/<uuid:pk>/approve", held.approve, name="held-approve"),
    path("held/<uuid:pk>/send-back", held.send_back, name="held-send-back"),
    path("legal-hold/", releases.index, name="releases"),
    path("legal-hold/ask", releases.ask, name="release-ask"),
    path("legal-hold/<uuid:pk>/agree", releases.agree, name="release-agree"),
    path("legal-hold/<uuid:pk>/refuse", releases.refuse, name="release-refuse"),
    path("grid/<slug:name>/", grid.index, name="grid"),
    path("grid/<slug:name>/claim", grid.claim, name="grid-claim"),
    path("search/", search.index, name="search"),
    path("search/bulk", bulk.propose, name="bulk-propose"),
    path("bulk/", bulk.index, name="bulk"),
    path("bulk/<uuid:pk>/", bulk.detail, name="bulk-action"),
    path("bulk/<uuid:pk>/agree", bulk.agree, name="bulk-agree"),
    path("bulk/<uuid:pk>/refuse", bulk.refuse, name="bulk-refuse"),
    path("bulk/<uuid:pk>/undo", bulk.undo, name="bulk-undo"),
    path("search/count", search.count, name="search-count"),
    path("search/views/", search.keep, name="search-keep"),
    path("search/views/<uuid:pk>/remove", search.remove, name="search-remove"),
    path("me/exposure/", wellness.my_exposure, name="my-exposure"),
    path("me/exposure.csv", wellness.my_exposure_csv, name="my-exposure-csv"),
    path("me/settings/", wellness.my_settings, name="my-settings"),
    path("settings/wellness/", wellness.organisation, name="wellness-settings"),
    path("settings/wellness/exposure.csv", wellness.together_csv, name="exposure-together-csv"),
    path("images/<uuid:submission>/<variant:variant>.jpg", image, name="review-image"),
    path("learning/<uuid:pk>/shadow/", comparisons.shadow, name="classifier_shadow"),
    path("concepts/", concepts.index, name="concepts"),
    path("concepts/new/", concepts.create, name="concept_new"),
    path("concepts/<uuid:pk>/", concepts.detail, name="concept"),
    path("concepts/<uuid:pk>/switch/", concepts.switch, name="concept_switch"),
    path("api/v1/", include("review.api.urls")),
]
