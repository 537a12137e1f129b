"""Contact imports: take a file, guess and show what its columns mean, start, follow, cancel and take back the import.

API keys and sessions with `manage_contacts`. Owns `import_jobs`; `import_contacts` does the work.
"""
