"""Chapter 00: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
00.weighted-mean
    Two values, 10 and 20, have the weights 0.9 and 0.1. What is their weighted mean?
    + 11
        0.9 · 10 + 0.1 · 20 = 9 + 2 = 11: near the value with the large weight.
    - 15
        15 is the plain mean: it would be right if both weights were 0.5.
    - 19
        19 is the mean with the weights exchanged: here the large weight belongs to 10.
    - 30
        30 is the sum. A mean always lies between the smallest and the largest value.
""")

RECALL = recall("""
A tensor `x` has shape (B, S, D) and a matrix `W` has shape (A, D). What is the shape of `x @ W.T`?
    (B, S, A). The last axis of `x` is multiplied away with the last axis of `W`; the other axes stay.
What does a softmax over a row of numbers give?
    As many numbers, all between 0 and 1, that sum to 1. The largest number gets the largest share, and adding
    the same amount to all of them changes nothing.
What does a recurrent network such as a GRU keep between two words?
    Its hidden state: one vector of fixed length. From the old state and the next word it computes the new
    state.
""")
