"""Which tables an export of an account holds; the others say why they are not in it."""

OF_THE_ACCOUNT = (
    "users", "workspaces", "workspace_members", "invitations", "api_keys", "subscriptions", "api_key_usage_daily",
    "usage_counters", "provider_accounts", "mail_servers",
)  # fmt: skip
OF_A_MODE = (
    "contacts", "contact_fields", "contact_field_values", "tags", "contact_tags", "lists", "contact_lists", "segments",
    "contact_workspaces", "suppression_list", "suppression_lifts",
    "templates", "campaigns", "campaign_steps", "campaign_contacts", "campaign_stats",
    "emails", "content_objects", "email_uploads", "email_attachments", "email_tags",
    "email_events", "inbox_threads", "inbox_messages", "inbox_attachments", "events",
    "webhooks", "webhook_deliveries", "webhook_attempts",
    "webhook_replays",
    "import_jobs", "export_jobs", "privacy_requests", "domains",
)  # fmt: skip
BELONGING_TO = {
    "contact_lists": "list_id", "contact_tags": "tag_id", "contact_field_values": "field_id",
    "contact_workspaces": "workspace_id", "campaign_contacts": "campaign_id",
}  # fmt: skip
"""Tables whose rows are there for a while after what they belong to was deleted, and the column that names it."""
LEFT_OUT = {
    "account_exports": "says how exports went, not what the account holds",
    "account_export_parts": "the same",
    "api_key_usage": "single requests of 90 days; api_key_usage_daily has their sums",
    "api_key_usage_sources": "sums by network, kept for the safety of keys",
    "contact_counts": "a count of contacts",
    "email_figure_changes": "sums of email_events that are not yet in email_rollups",
    "email_rollups": "sums of email_events per hour, for analytics",
    "contact_search": "words by which contacts are found; the contacts say the same",
    "contact_spans": "where in the order of contacts a search may begin",
    "idempotency_keys": "answers of the last 24 hours, kept so that repeated requests happen once",
    "import_events": "what a rollback would restore, for thirty days",
    "link_tokens": "hashes of links that were mailed",
    "mail_outbox": "mail of the platform to the account's people",
    "mailbox_days": "how many mails a mailbox sent on a day",
    "webhook_figure_changes": "sums of webhook_deliveries and webhook_attempts that are not yet in webhook_quarters",
    "webhook_quarters": "sums of webhook_deliveries and webhook_attempts per quarter of an hour, for statistics",
    "webhook_sequences": "the last number of each webhook's deliveries, which they carry themselves",
    "outbox": "messages on their way to queues",
    "pending_removals": "what is deleted already, while its rows are removed",
    "provider_events": "reports of the last seven days, kept so that a repeated one is known; email_events has what they said",
    "reauth_tokens": "hashes of confirmations of identity",
    "recovery_codes": "hashes",
    "send_paces": "how fast mail may be sent just now",
    "sessions": "hashes of sessions",
    "soft_bounces": "a count that ends in the suppression list",
    "staff_members": "the platform's own people",
    "tenant_overrides": "what the platform has agreed to; billing documents say it",
    "user_credentials": "hashes of passwords",
}
SECRET_COLUMNS = frozenset(
    {
        "lookup_digest",
        "digest_version",
        "vault_version",
        "secret_ref",
        "next_secret_ref",
        "old_secret_ref",
        "secret_version",
        "endpoint_hash",
        "file_key",
        "error_file_key",
        "token_hash",
    }
)
"""Fields that are left out of every row: what leads to a secret, or to a file."""
