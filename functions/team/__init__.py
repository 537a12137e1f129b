"""The people of an account: members, their roles, and invitations.

Members are listed by any session; owners and admins change things; an invitation is accepted by whoever got its mail.
Owns `invitations`; writes `users`.
"""
