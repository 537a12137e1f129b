"""Contact fields: declares attributes of contacts with a type, so that segments and imports can rely on it.

API keys and sessions with `manage_contacts`. Owns `contact_fields` and `contact_field_values`.
"""
