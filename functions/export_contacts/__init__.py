"""Writes contacts to a file: CSV, XLSX or JSON. An SQS consumer; reads contacts, stores the file, ends the `export_jobs` row.

Contacts are read in parts, each of which is stored and recorded before the next one. A job whose time is up goes on with a
message of its own, one that was interrupted with the next delivery, both after the last part. The file is then made of the
parts: CSV and JSON go straight into the bucket, a few megabytes at a time, a workbook by way of the disk.
"""
