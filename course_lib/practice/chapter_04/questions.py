"""Chapter 04: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
04.diagonal
    A causal mask is one too strict: it also blocks the diagonal, so each token sees only what stands before
    it, not itself. The blocked scores are -∞. What are the weights of the first token?
    - 1 on itself: it is the only token it knows.
        It knows itself, and the mask does not ask what it knows. Its own cell is blocked too, so no cell of
        its row is left.
    - The same small weight on every token.
        That would be so if all scores were equal and finite. Here all are -∞: exp gives 0 everywhere, and
        there is no share to hand out.
    + NaN: its row has nothing allowed.
        All its scores are -∞, so the softmax is 0/0. The library of this course gives such a row weights of
        exactly 0 instead.
    - 1 on the last token: the row wraps around.
        An index of -1 wraps around in Python; a comparison of positions does not. Nothing stands before the
        first token.
04.after
    Four tokens, all scores equal. The softmax is taken over all four, and afterwards the weights of the
    future are set to 0. What does the row of the first token sum to?
    + 0.25
        Each of the four got 0.25, and three of them are thrown away. The row of the last token sums to 1: the
        earlier a token, the less of its attention is left.
    - 1: a softmax always sums to 1.
        It does when it comes out of the softmax. After that three quarters were set to 0, and nobody shared
        them out again.
    - 0: everything is masked.
        The first token may look at itself, and that weight stays as it is.
    - 0.75
        0.75 is what was thrown away: three weights of 0.25. What is left is its own.
04.empty-row
    Two queries, three keys. Query 0 sees keys 0 and 1; all scores of query 1 are -∞, so its weights are NaN.
    The output is `weights @ v`, and only row 0 of it goes into the loss. What becomes of the loss and of the
    gradient of v?
    - Both are finite: row 1 is not in the loss.
        The loss is. But v serves both queries, and on the way back row 1 is there with a factor of 0: 0 · NaN
        is NaN.
    - Both are NaN.
        Row 0 has no NaN in it, and the loss is made of row 0 alone: it is finite. That is why nobody notices
        in time.
    - The loss is finite; the gradient is NaN for key 2 only, which nobody sees.
        Query 1 has a weight of NaN on each key, not on key 2 alone. Each of them brings 0 · NaN into the
        gradient of its value.
    + The loss is finite; the whole gradient of v is NaN.
        The gradient of a value adds up over all queries: weight times what comes back. What comes back to row
        1 is 0, and 0 · NaN is NaN. Leaving the row out of the loss does not help.
04.too-good
    A model learns to predict the next token. Its causal mask goes one too far: each position also sees the
    position after it. What happens to the training loss?
    - It stays high: the mask is wrong, so the model cannot learn.
        A wrong mask need not make learning harder. This one shows the model exactly what it is asked for.
    + It falls almost to 0, and so does the loss on held-out text.
        The answer stands in the input, so copying is enough. Held-out text has the same leak: it cannot give
        the error away. A loss that is too good is a reason to look at the mask.
    - It falls almost to 0, but the loss on held-out text shows the error.
        Held-out text goes through the same mask, so its answers stand in the input too. Copying works on any
        text.
    - About the same as with the right mask: one cell in a row is little.
        It is one cell, and it is the one that holds the answer.
04.generation
    The same model, trained with a mask that goes one too far, now writes text on its own, one token after
    another. How good is the text?
    - As good as its loss: nearly perfect.
        The loss measured copying. While it writes, the next token does not exist yet, so there is nothing to
        copy.
    - A little worse than with the right mask.
        It has not learned a weaker kind of prediction. It has learned another task, copying, and that task
        has vanished.
    - It stops with an error: the mask is too large for the text.
        At the last position the mask has no cell for the next token, so nothing fails. It is quiet, and that
        is the danger.
    + Broken: what it learned to copy is not there.
        At the last position there is no next token to look at. It has hardly learned anything else, because
        nothing else was needed.
04.conventions
    `allowed` is a causal mask, True = may attend. You pass it to `torch.nn.MultiheadAttention` as
    `attn_mask`, as it is. What does each token see?
    + Only the tokens after it; the last token sees nothing.
        There, True = blocked: past and present are closed, the future is open, the exact opposite. No error
        is raised, because both masks are boolean and have the same shape.
    - The right ones: torch looks at the data type and knows.
        Both conventions use booleans, so there is nothing to know it by. `F.scaled_dot_product_attention`
        reads True the other way, in the same library.
    - Itself and the tokens after it.
        The future, yes: there, True = blocked. Its own cell is True in `allowed`, so it is blocked too.
    - Nothing: it raises an error.
        Shape and type fit, so nothing is noticed. This is why the course has one name, `allowed`, and
        converters.
04.window
    Each layer has a sliding window of 4: a token sees itself and the 3 tokens before it. With 3 such layers,
    how many positions back can the last output depend on?
    - 3: the window forbids more.
        In one layer. But the token 3 back has itself looked 3 further back in the layer before, and hands on
        what it found.
    - 12
        3 × 4 counts the token itself in every layer. Each layer goes only 3 back.
    + 9
        3 layers, 3 steps back in each. A small window reaches far in a deep model: that is why it is used.
    - 27: it is 3 × 3 × 3.
        Layers add their reach, they do not multiply it: each one goes 3 further back.
""")

RECALL = recall("""
When must a forbidden score be taken out, before or after the softmax, and what goes wrong otherwise?
    Before: it becomes -∞, so its weight is 0 and the others share the whole 1. If weights are set to 0
    afterwards, the rows no longer sum to 1, and the forbidden scores still stand in the denominator.
What does True mean in a mask of this course, and what in PyTorch?
    Here `allowed`: True = may attend. `F.scaled_dot_product_attention` reads it the same way; in
    `nn.MultiheadAttention` True = blocked.
Does a causal mask allow a token to attend to itself?
    Yes: position t sees 0 … t. Its own token is known; what it must predict is the next one.
A loss is far better than you expected. What do you check first?
    Whether the future leaks: change a later token, or take the gradient, and see whether an earlier output
    moves. It must be exactly 0.
A query has no allowed key at all. What does a plain softmax give, and what does this course do?
    0/0, so NaN, and through the gradient it reaches every parameter. Our rule: the weights of that row are
    exactly 0.
Is padding masked as a query or as a key, and why?
    As a key: then no word looks at it, and what padding itself computes counts for nothing, as long as it is
    a number. Masked as a query, its row would be empty: with a plain softmax NaN.
""")
