"""Chapter 04's questions."""

from course_lib.experiments.records import Experiment

EXPERIMENTS: tuple[Experiment, ...] = ()
