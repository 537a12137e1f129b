"""Tags: the names that contacts are marked with. Contacts gain and lose them at /api/v1/contacts.

API keys and sessions with `manage_contacts`. Owns `tags` together with contacts.
"""
