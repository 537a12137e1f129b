"""Contact exports: ask for a file of contacts, follow it, get a link to it.

API keys and sessions with `manage_contacts`. Owns `export_jobs`; `export_contacts` does the work, `purge_files` ends it.
"""
