"""The host: what any chat bot needs, and no skill's own business."""
