"""Adds what is new to the figures about mails and webhooks, and lowers the scores of contacts that went quiet. Each minute."""
