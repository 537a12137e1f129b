"""Segments: rules that say which contacts belong; try them out, keep them, count them.

API keys and sessions with `manage_contacts`. Owns `segments`; the rules are `penguinmails.domain.segments`.
"""
