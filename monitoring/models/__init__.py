from monitoring.models.alert import Alert
from monitoring.models.channel import Channel
from monitoring.models.daily_report import DailyReport
from monitoring.models.delivery import Delivery, DeliveryAlert
from monitoring.models.heartbeat import Heartbeat
from monitoring.models.rule import AlertRule
from monitoring.models.spool_receipt import SpoolReceipt

__all__ = ["Alert", "AlertRule", "Channel", "DailyReport", "Delivery", "DeliveryAlert", "Heartbeat", "SpoolReceipt"]
