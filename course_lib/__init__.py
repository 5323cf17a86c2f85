"""From Attention to Assistants: the library behind the notebooks.

Each idea has one home: attention.py and masks.py are the heart, models/ builds on them, practice/ checks
exercises, tools/ holds the commands. Importing course_lib alone loads nothing else, so it costs nothing.

This file is read by Pythons that are too old for the course, so that they can say so: plain syntax, ASCII
only.
"""

__version__ = "0.1.0"
