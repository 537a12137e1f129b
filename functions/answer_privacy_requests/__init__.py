"""Meets privacy requests: copies or erases all that is held about a person.

Runs every two minutes.
"""
