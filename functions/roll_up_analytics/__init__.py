"""Adds what is new to the hourly figures about mails, and lowers the scores of contacts that went quiet. Each minute."""
