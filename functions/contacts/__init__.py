"""Contacts: create, read, update, delete, list, search.

API keys and sessions with `manage_contacts`. Owns `contacts`, `contact_workspaces`, `tags` and
`contact_tags`; triggers keep `contact_search` and `contact_spans`, by which contacts are found.
"""
