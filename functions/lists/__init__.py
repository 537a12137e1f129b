"""Lists: static ones hold the contacts that were put on them, dynamic ones those whom a segment finds.

API keys and sessions with `manage_contacts`. Owns `lists` and `contact_lists`.
"""
