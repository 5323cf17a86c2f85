"""The worlds and dictionaries the models learn from."""
