"""Sessions: sign-in, refresh, list, sign-out, and step-up.

Anyone may sign in; the rest takes a session. Owns `sessions` and `reauth_tokens`.
"""
