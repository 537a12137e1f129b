"""Templates of an account: texts with variables that emails are made of.

Keys and sessions with manage_templates. Owns `templates`.
"""
