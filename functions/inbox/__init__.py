"""The inbox: answers to mails as conversations, to be read, put aside and brought back.

API keys and sessions with `read_inbox`. Owns `inbox_threads` and `inbox_messages`, which the providers' reports fill.
"""
