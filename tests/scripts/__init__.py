"""The tools that build and check the project."""
