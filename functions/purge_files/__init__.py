"""Removes files that are past their time: exports after seven days, imports after thirty.

Runs each day at 04:00 UTC.
"""
