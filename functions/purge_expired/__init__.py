"""Deletes what is past its retention: remembered answers, spent tokens, ended sessions, old notices, usage and email bodies.

Runs each hour.
"""
