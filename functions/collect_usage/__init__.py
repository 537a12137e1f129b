"""Moves usage records of API keys from Redis to PostgreSQL, in batches of 500, every 10 s within each minute."""
