"""The rules that the project is built by."""
