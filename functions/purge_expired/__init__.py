"""Deletes what is past its retention: remembered answers, spent tokens, ended sessions, old notices, bodies and histories of
emails, old campaigns. And the rows of what was deleted by itself: links to lists, tags and workspaces, values of fields,
ledgers of campaigns.

Runs each hour.
"""
