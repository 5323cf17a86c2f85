"""The "why?" experiments: one function each, recorded over several seeds, repeatable by anybody.

    record = experiments.load("length")                 every seed, as recorded
    live = experiments.run("length", seed=0)            one small seed, here and now
    experiments.compare(live, record)                   does it land where the record says?

A record is a JSON file in assets/experiments: the raw rows, and the command, seeds, versions and kind of
machine that made them. The learning rate of an experiment is constant, so a short run is the beginning of
a long one: its rows can be compared with the record's rows of the same step.
"""

from course_lib.experiments.records import Comparison, Record, compare, load, main, run

__all__ = ["Comparison", "Record", "compare", "load", "main", "run"]
