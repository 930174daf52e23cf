from monitoring.admin.alert import AlertAdmin
from monitoring.admin.channels import ChannelAdmin
from monitoring.admin.daily_report import DailyReportAdmin
from monitoring.admin.deliveries import DeliveryAdmin
from monitoring.admin.rules import AlertRuleAdmin

__all__ = ["AlertAdmin", "AlertRuleAdmin", "ChannelAdmin", "DailyReportAdmin", "DeliveryAdmin"]
