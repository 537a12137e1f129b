"""Makes one delivery per matching webhook of each event. An SQS consumer; writes `webhook_deliveries`."""
