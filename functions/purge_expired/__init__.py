"""Deletes what is past its retention: remembered answers, spent tokens, ended sessions, old notices, bodies and histories of
emails, old campaigns.

Runs each hour.
"""
