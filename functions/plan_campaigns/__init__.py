"""Carries campaigns out: enrols their audience, moves recipients from step to step and stores the mails that are due.

Runs each minute. Changes `campaigns`, `campaign_contacts` and `campaign_steps`, writes `emails` in batches that
`send_campaign_emails` sends, raises `campaign.launched` and `campaign.completed`.
"""
