"""The guest that asks the hooks of pre-commit which the repository names."""
