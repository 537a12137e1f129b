"""Takes what mail providers report: deliveries, bounces, complaints, unsubscriptions, opens, clicks, and answers.

Open to anybody who knows the secret URL and proves to be the provider: Postmark by HTTP basic authentication, Mailgun by a
signature. Our own mail server hands raw mail over at /webhooks/smtp/inbound and signs each. Owns `provider_events`; what a
report means for mail and contact is the same for all sources of reports.
"""
