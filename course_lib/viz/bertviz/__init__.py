"""bertviz's `head_view`, `model_view` and `neuron_view`, on any arrays, with no network.

bertviz draws with JavaScript. `page` makes one HTML document of its script and the numbers; that document
shows itself in a frame below the cell, and can be saved as a file. Where nothing is live (GitHub, e-mail, a
notebook that is not trusted) a picture of `stills` stands in its place. `inputs` checks what comes in.

Source: Vig 2019, "A Multiscale Visualization of Attention in the Transformer Model".
"""

from course_lib.viz.bertviz.views import BertvizView, head_view, model_view, neuron_view

__all__ = ["BertvizView", "head_view", "model_view", "neuron_view"]
