"""Sends the platform's own mail: verification, password and account notices.

An SQS consumer. Mints the token of a mail's link at the moment of sending. Owns `mail_outbox`; writes `link_tokens`.
"""
