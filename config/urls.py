from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("moderation.urls")),
    path("", include("review.urls")),
]
