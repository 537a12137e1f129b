"""Posts events to customers' endpoints, signs them, logs each attempt and plans retries.

An SQS consumer. Owns `webhook_attempts`; changes `webhook_deliveries` and the health of `webhooks`, and
adds to `webhook_figure_changes` how long posts took.
"""
