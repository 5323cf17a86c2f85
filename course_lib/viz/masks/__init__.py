"""Masks as pictures: which cells are open, who sees whom, what the weights of a row sum to, what leaks.

A mask is right when nothing arrives where it forbids. What arrives is the derivative ∂output_i/∂input_j.
Open cells are blue, closed ones grey and hatched, in every picture; what gets through a closed cell is
outlined in crimson.
"""

from course_lib.viz.masks.gallery import mask_gallery, row_sums
from course_lib.viz.masks.leaks import leaks, weights_and_leak
from course_lib.viz.masks.links import reach, who_sees_whom

__all__ = ["leaks", "mask_gallery", "reach", "row_sums", "weights_and_leak", "who_sees_whom"]
