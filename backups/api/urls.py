"""The addresses of backups."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from backups.api.cluster import ClusterEventViewSet, ClusterView
from backups.api.views import BackupViewSet, RestoreViewSet, WalCheckViewSet

router = SimpleRouter(use_regex_path=False)
router.register("backups", BackupViewSet, basename="backup")
router.register("restores", RestoreViewSet, basename="restore")
router.register("wal-checks", WalCheckViewSet, basename="wal-check")

router.register("cluster/events", ClusterEventViewSet, basename="cluster-event")

urlpatterns = [path("cluster/", ClusterView.as_view(), name="cluster"), *router.urls]
