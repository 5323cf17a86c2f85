"""Training: one loop, its objectives, and what it leaves behind."""
