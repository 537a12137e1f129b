"""Contacts: create, read, update, delete, list.

API keys and sessions with `manage_contacts`. Owns `contacts`, `contact_workspaces`, `tags` and `contact_tags`.
"""
