"""API keys: create, list, inspect, change, regenerate, revoke, and their usage.

Sessions of owners, admins and developers only; step-up on what makes or ends a secret. Owns `api_keys`; reads
`api_key_usage` and `api_key_usage_daily`, which the usage jobs write.
"""
