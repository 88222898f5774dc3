"""The host: what any chat bot needs, and no skill's own business."""

from bot.unreported import report_nothing

report_nothing()
