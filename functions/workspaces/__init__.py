"""Workspaces of an account, one per project or client, and who works in them.

Any key or session lists them; owners and admins change them. Owns `workspaces` and `workspace_members`.
"""
