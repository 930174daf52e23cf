"""The addresses of backups."""

from rest_framework.routers import SimpleRouter

from backups.api.views import BackupViewSet, RestoreViewSet, WalCheckViewSet

router = SimpleRouter(use_regex_path=False)
router.register("backups", BackupViewSet, basename="backup")
router.register("restores", RestoreViewSet, basename="restore")
router.register("wal-checks", WalCheckViewSet, basename="wal-check")

urlpatterns = router.urls
