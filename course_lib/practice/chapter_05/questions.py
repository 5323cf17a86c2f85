"""Chapter 05: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions

PREDICTIONS = predictions("""
05.dropout
    A row of weights is 0.5, 0.25, 0.25. In training, dropout with p = 0.5 comes after the softmax: it sets
    weights to 0 at random and doubles those that stay. What does the row sum to?
    - Always 1: the doubling makes up for what is dropped.
        On average it does. In one step it need not: if one 0.25 alone stays, the row sums to 2 × 0.25 = 0.5;
        if 0.5 and 0.25 stay, to 1.5.
    + It changes from step to step, between 0 and 2; on average 1.
        All three may be dropped (0) or kept (2). Rows that do not sum to 1 are no error in training mode; the
        course shows weights before dropout.
    - Always 0.5: half of it is dropped.
        On average half is dropped, and what stays is doubled, so the average is 1 again. In one step anything
        from 0 to 2 can be left.
    - 1: the softmax shares the rest out again.
        The softmax is over before dropout begins; nobody shares anything out again.
""")

RECALL = ()
