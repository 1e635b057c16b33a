"""URLs for signing up, preferences, privacy and unsubscribing."""

from __future__ import annotations

from django.urls import path

from subscribers.leaving import views as leaving_views
from subscribers.preferences import views as preferences_views
from subscribers.privacy import views as privacy_views
from subscribers.signup import views as signup_views

app_name = "subscribers"

urlpatterns = [
    path("subscribe/", signup_views.subscribe, name="subscribe"),
    path("subscribe/challenge/", signup_views.challenge, name="challenge"),
    path("subscribe/check-your-inbox/", signup_views.check_inbox, name="check_inbox"),
    path("subscribe/embed/", signup_views.embed, name="embed"),
    path("subscribe/embed/check-your-inbox/", signup_views.embed_submitted, name="embed_asked"),
    path("fresh-link/<str:token>/", signup_views.resend_link, name="fresh_link"),
    path("confirm/<str:token>/", signup_views.confirm, name="confirm"),
    path("preferences/<str:token>/", preferences_views.preferences, name="preferences"),
    path(
        "preferences/<str:token>/forget-votes/", preferences_views.forget_votes, name="forget_votes"
    ),
    path(
        "preferences/<str:token>/about-me.json",
        privacy_views.download_personal_data,
        name="about_me",
    ),
    path("preferences/<str:token>/erase/", privacy_views.erase, name="erase"),
    path("unsubscribe/<str:token>/", leaving_views.unsubscribe, name="unsubscribe"),
    path("farewell/", leaving_views.thanks, name="thanks"),
    path("farewell/<str:token>/", leaving_views.submit_exit_survey, name="farewell"),
    path("resubscribe/<str:token>/", leaving_views.resubscribe, name="resubscribe"),
    path("feedback/<str:token>/", preferences_views.give_feedback, name="feedback"),
]
