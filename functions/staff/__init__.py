"""The platform's own staff: what they see and change of accounts, and who belongs to them.

Only active members of staff with a second factor may call. Owns `staff_members` and `mail_servers`; changes status,
plan and overrides of tenants across accounts.
"""
