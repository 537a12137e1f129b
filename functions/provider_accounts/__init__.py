"""Accounts that a customer has with mail providers (Postmark, Mailgun), through which mails can be sent.

Owners and admins, signed in. Owns `provider_accounts`; the credentials live in Vault.
"""
