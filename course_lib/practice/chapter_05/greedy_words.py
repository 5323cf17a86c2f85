"""05.greedy: what a tutor says."""

WORDS = """
whole-text-again
    You feed the whole text again at each step, and the state holds it already: every earlier token would
    stand there twice. Feed the newest token alone, (B, 1).
whole-text-from-the-start
    You begin anew at each step: the first state, and the whole text so far. It gives the same words, and for
    T words T (T + 1) / 2 tokens pass through the model. Keep the state that comes back, and feed the newest
    token alone: T tokens in all.
state-forgotten
    You throw the new state away, so the model knows of one token at a time: what it wrote before is gone.
    `logits, weights, state = …`: the next step needs the state of this one.
token-not-fed
    You feed `[BOS]` at every step: the model never hears what it has chosen. After the first step it gets the
    token of the step before.
one-step-behind
    You feed the token before the last one: what the model hears is always a step too old. The token that was
    chosen now is the next one to be fed.
first-row-for-all
    You take the first row's logits and use its choice for all rows. Each row has its own: `argmax(dim=-1)`
    gives B tokens.
argmax-over-all
    `argmax()` without an axis runs over all B · V numbers at once and gives one number, which need not even
    be an id. Each row chooses its own token: `argmax(dim=-1)`.
logits-cut
    You take one column of the logits, as in `logits[:, -1]`. These have no axis for positions: (B, V), the
    scores of the next token only. Take them whole, `argmax(dim=-1)`.
lowest-chosen
    You take the least likely token. Greedy decoding takes the one with the highest logit.
not-the-likeliest
    {other} of your {words} tokens are not the likeliest after what stands before them in their row: in row
    {row}, step {step}, you have {theirs}, and the highest logit is that of {best}. Greedy decoding draws
    nothing by chance and takes no second best: `argmax`. (Or did the model hear something else than what your
    row holds?)
weights-chosen
    You choose from the weights. They say where in the source the model looked; how likely each token is, the
    logits say.
never-stops
    Your rows are right, and you go on until `max_new` though every row has ended: what you add are columns of
    padding. Stop when all rows have said `[EOS]`.
finished-rows-go-on
    Finished rows go on talking. A row that has said `[EOS]` has said all: remember it, and write `[PAD]` in
    that row from then on.
finished-for-one-step
    After `[EOS]` a row gets one `[PAD]`, and then it goes on talking: what you look at is the last token
    alone, and after the `[PAD]` that is no `[EOS]`. Remember for each row that it has ended: `done = done |
    (token == EOS_ID)`.
ends-not-remembered
    You stop when all rows say `[EOS]` in the same step, which may never happen. Remember for each row whether
    it has ended: `done = done | (token == EOS_ID)`, and stop at `done.all()`.
stops-with-the-first
    You stop as soon as one row ends, and cut off the others in the middle. Stop when all have ended: `all`,
    not `any`.
end-lost
    An `[EOS]` is missing in your rows. It belongs to the text: a row holds its words, then `[EOS]`, then
    `[PAD]`. Mark a row as finished after its token has been kept.
end-repeated
    After its end a row is filled with `[EOS]`. One is enough; what follows is `[PAD]`.
begin-kept
    `[BOS]` stands at the front of your rows. It was given to the model and not chosen by it: return what was
    chosen.
another-start
    The first token that you feed is not `[BOS]`. The model has learned to begin after this one token; after
    another one it writes something else.
limit-missed
    The number of steps is off by one: `max_new` is the largest number of tokens that a row may get.
steps-as-rows
    Your table lies on its side: (T, B). A row belongs to one source; its tokens stand side by side:
    `torch.stack(ids, dim=1)`.
"""
