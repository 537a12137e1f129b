"""Tables in files: CSV, TSV, JSON and XLSX read as a stream in bounded memory, and written.

A source is read from a position on, so that work that was interrupted goes on exactly where it was.
"""
