"""Where readers join, choose and leave."""

from __future__ import annotations

from django.urls import path

from subscribers import views

app_name = "subscribers"

urlpatterns = [
    path("subscribe/", views.subscribe, name="subscribe"),
    path("subscribe/check-your-inbox/", views.check_inbox, name="check_inbox"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("preferences/<str:token>/", views.preferences, name="preferences"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("farewell/", views.thanks, name="thanks"),
    path("farewell/<str:token>/", views.farewell, name="farewell"),
    path("resubscribe/<str:token>/", views.resubscribe, name="resubscribe"),
]
