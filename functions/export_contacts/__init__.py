"""Writes contacts to a file: CSV, XLSX or JSON. An SQS consumer; reads contacts, stores the file, ends the `export_jobs` row.

The file is made in one go, page by page and in bounded memory; after a crash the next delivery makes it anew.
"""
