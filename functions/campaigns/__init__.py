"""Campaigns: what is sent to whom and when; drafted here, carried out by `plan_campaigns` and `send_campaign_emails`.

API keys and sessions with `manage_campaigns`; what makes mails leave needs `send_email` too. Owns `campaigns`,
`campaign_steps` and `campaign_contacts`.
"""
