"""Stand-ins for vendors' HTTP interfaces, so that everything can be tried without an account anywhere."""
