"""Accounts: sign-up, e-mail verification, forgotten and changed passwords.

Anyone may call what needs no session; answers never tell whether an address has an account. Owns `user_credentials`
and `link_tokens`; creates tenants, users and workspaces.
"""
