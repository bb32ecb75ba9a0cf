from django.urls import include, path

handler400 = "moderation.api.problems.bad_request"
handler404 = "moderation.api.problems.not_found"
handler500 = "moderation.api.problems.server_error"
urlpatterns = [
    path("api/v1/", include("review.api.urls")),  # first, for Django tries one address after the other
    path("accounts/", include("allauth.urls")),
    path("", include("moderation.urls")),
    path("", include("review.urls")),
]
