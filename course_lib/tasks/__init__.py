"""One file a task: its data, its model, and its score."""
