"""Makes the files of exports of whole accounts, part by part.

Runs every two minutes.
"""
