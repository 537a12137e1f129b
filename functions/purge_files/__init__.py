"""Removes files that are past their time: exports after seven days, imports after thirty, files of mails after seven
unless a mail that waits needs them.

Runs each day at 04:00 UTC.
"""
