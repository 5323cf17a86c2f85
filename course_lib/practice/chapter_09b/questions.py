"""Chapter 09b: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
09b.muon
    A step with Muon needs more operations than one with AdamW: it multiplies matrices five times over. How
    can a training be faster with it all the same?
    - Its steps are cheaper for the memory.
        It keeps one running mean for a matrix where AdamW keeps two. That saves memory, and no time worth
        speaking of.
    + It needs fewer steps to the same loss.
        That is its claim, and so it must be measured: seconds to a target, not steps, since each step takes
        longer. And look at the final loss as well: an early lead may melt.
    - It has no learning rate that must be found.
        It has one, and a second one for the parameters that AdamW keeps: embeddings, norms, biases.
    - It uses the gradients of all matrices at once.
        Each matrix is worked on by itself, Q, K and V apart from each other, too.
09b.huber
    A law with five constants is fitted to 240 trainings, by a program that stops where the slope of the
    fit's loss is smaller than a fixed number. Somebody takes the mean over the 240 points for the sum. What
    changes?
    - Nothing: the smallest mean and the smallest sum are at the same constants.
        They are. But the program does not go there: it stops where the slope is small.
    - The constants come out 240 times smaller.
        The constants are not divided, the loss is. Its lowest point stays where it is.
    - The fit is closer, as outliers count less.
        How much a far point counts is for the Huber loss to say, and it is the same in both.
    + The program stops too early, and the constants are not those of the lowest point.
        All slopes are 240 times smaller, so they fall below the fixed number long before the lowest point.
        Besiroglu et al. 2024 name this, beside rounding, as a cause in a famous fit, whose constants
        contradict the rule that was drawn from them.
09b.two-machines
    Two processes share a batch. One has 100 counted tokens, the other, whose texts are longer, 300. Each
    takes the mean loss over its own tokens, and the two gradients are averaged. Is it the step that one
    process with all 400 would have made?
    - Yes: a mean of two means is the mean of all.
        Only where both counts are equal. 3 and 1 as means of 100 and of 300 tokens: their mean is 2, the mean
        of all is 1.5.
    - Yes, if both processes began with the same parameters.
        They must, and it is not enough: what is averaged must be weighed by the tokens behind it.
    + No: a token of the first process counts three times as much.
        Each process must divide its *sum* by the tokens of all, and the gradients are added. The same holds
        for pieces that one process accumulates.
    - No: gradients of different machines cannot be averaged.
        The gradient of a sum is the sum of the gradients, wherever they were computed.
09b.hundredfold
    In the law E + A / N^α + B / D^β the two exponents are equal. You get 100 times the compute, C = 6 N D.
    How should the best N, the number of parameters, grow?
    + 10 times, and the tokens 10 times.
        With equal exponents both grow with the root of the compute, so their ratio stays. With unequal ones
        it drifts with every budget: a small error in an exponent is a large one far away.
    - 100 times, with the same tokens.
        Then only the first term would shrink, and the second, which no longer moves, would be all that is
        left.
    - Not at all: more tokens are all that counts.
        Then only the second term would shrink, and the first would be all that is left.
    - It depends on A and B.
        How many tokens a parameter should see depends on them. How this grows does not.
""")

RECALL = recall("""
What does Muon do to the step of a matrix, and which parameters are not for it?
    Its directions are made about equally long, by five rounds of matrix products. Embeddings, the head, norms
    and biases stay with AdamW.
A change makes training faster. Which two numbers must be looked at?
    Seconds to a target, and the final loss: a lead at the beginning may be gone at the end.
Compute is 6 N D. What does a fitted law say about N and D, and what must be checked before you believe it?
    For each budget the split with the lowest loss. Whether the constants agree with the rule that is drawn
    from them, at the budgets of interest.
A batch is shared among processes. When do their gradients make the step of one process?
    When each divides its sum by the tokens of all processes and all pieces, and the gradients are added once,
    after the last piece.
A GPT with rotary positions repeats itself as soon as it uses its cache. Where do you look first?
    Whether the position of a token that comes alone begins at 0 again.
""")
