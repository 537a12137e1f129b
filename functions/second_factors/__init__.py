"""The second factor of the signed-in user: enrol, confirm, look, renew recovery codes, remove.

Any session. Writes the second-factor columns of `user_credentials` and owns `recovery_codes`; the seed is in Vault.
"""
