"""Erases accounts whose owners closed them thirty days ago: rows, files, secrets and what Redis knows.

Runs each hour.
"""
