"""Hands queued emails to the mail server. An SQS consumer.

Changes `emails`, writes `email_events`, raises `email.sent` and `email.bounced`. In test mode it acts out what the
addresses of the simulator stand for.
"""
