"""Hands queued emails to the mail server. An SQS consumer; changes `emails`, writes `email_events`, raises `email.sent`."""
