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
`weights` has shape (S,) and `words` has shape (S, D). What is `weights @ words`, and what is its shape?
    The weighted mean of the S rows of `words`, if the weights sum to 1: one row of D numbers, shape (D,).
What does a softmax over a row of numbers give?
    As many numbers, all between 0 and 1, that sum to 1. The largest number gets the largest share, and adding
    the same amount to all of them changes nothing.
In the picture of the word 'knight', what is a row, what is a column, and what does a dark cell say?
    A row is one sound: it asks, so it is the query. A column is one letter: it is asked, so it is a key. A
    dark cell says that this sound looked at this letter strongly.
""")
