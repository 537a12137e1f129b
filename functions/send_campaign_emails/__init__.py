"""Hands the mails of campaigns to the mail server, a batch per queue message. An SQS consumer.

Changes `emails` and `campaign_contacts`, writes `email_events`, raises `email.sent`.
"""
