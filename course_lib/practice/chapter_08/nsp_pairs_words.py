"""08.nsp-pairs: what a tutor says."""

from course_lib.practice.words import entries

TOLD = entries("""
labels-exchanged
    Your labels are exchanged: 0 for "next" and 1 for "random". (So it is in Hugging Face's library.) Here 1
    is "next"; the wrong way round a model would learn to say the opposite, with the same loss.
all-exchanged
    You keep the own end where the throw is 0.5 or more. Half of the pairs follow in either case; here a throw
    below 0.5 says that they do.
ends-exchanged
    The ends are exchanged: a text with the label "next" gets the end of another one, and one with the label
    "random" keeps its own. The labels are right: keep the own end where the throw is below 0.5.
always-own
    With `nsp` every text keeps its own end in your answer, whatever its label says. Half of the labels would
    be lies: where the throw is 0.5 or more the end of `other[i]` stands second.
always-other
    With `nsp` every text gets another one's end in your answer, whatever its label says. Where the throw is
    below 0.5 it keeps its own.
all-next
    With `nsp` every text keeps its own end and has the label 1 in your answer: `throw` has no effect. A
    question with one answer teaches nothing, and its loss goes to 0 all the same.
all-random
    With `nsp` every text gets another one's end and has the label 0 in your answer: `throw` has no effect. A
    question with one answer teaches nothing, and its loss goes to 0 all the same.
labels-all-1
    With `nsp` all your labels are 1, also where the end of another text stands second. A question with one
    answer teaches nothing, and its loss goes to 0 all the same: count your labels before a training.
labels-all-0
    With `nsp` all your labels are 0, also where a text keeps its own end. A question with one answer teaches
    nothing, and its loss goes to 0 all the same: count your labels before a training.
off-random-kept
    With `nsp` False nothing is asked, and random ends still stand second. Then half of what the model reads
    is torn texts, and for no reason: the switch changes the data, too. Every text keeps its own end.
off-random-kept-and-asked
    `nsp` has no effect: with the switch off, random ends still stand second and are still asked about. Then
    every text keeps its own end, and every label is -100.
off-asked
    With `nsp` False the ends are right, and labels of 1 and 0 are still there. All ends are the own ones, so
    half of these labels are wrong; and nothing is asked: -100 everywhere.
off-all-next
    With `nsp` False your labels are 1. That each end is the own one is true; but the model would be asked
    about it, a question with one answer. "Not asked" is -100.
off-all-0
    With `nsp` False your labels are 0. That is "random", and it would count in a loss. "Not asked" is -100.
off-another-mark
    With `nsp` False your labels hold another number than -100. The mark for what does not count is -100, in
    this course and in PyTorch's loss.
off-all-next-random-kept
    With `nsp` False two things are left. Random ends still stand second; every text should keep its own. And
    your labels are 1, where -100 says "not asked".
off-all-0-random-kept
    With `nsp` False two things are left. Random ends still stand second; every text should keep its own. And
    your labels are 0, where -100 says "not asked".
off-other-ends
    With `nsp` False every text gets the end of `other[i]`. Nothing is asked then, and every text keeps its
    own end.
switch-turned-round
    The switch is turned round: random ends and labels of 0 and 1 belong to `nsp` True; with False every text
    keeps its own end, and every label is -100.
labels-exchanged-switch-unused
    Two slips. `nsp` has no effect: with the switch off every text keeps its own end, and every label is -100.
    And your labels are exchanged: 1 is "next", 0 is "random".
labels-exchanged-off-all-0
    Two slips. With `nsp` True your labels are exchanged: 1 is "next", 0 is "random". And with `nsp` False
    your labels are 0; "not asked" is -100.
labels-exchanged-off-all-1
    Two slips. With `nsp` True your labels are exchanged: 1 is "next", 0 is "random". And with `nsp` False
    your labels are 1; "not asked" is -100.
labels-exchanged-off-asked
    Two slips. Your labels are exchanged: 1 is "next", 0 is "random". And with `nsp` False they are still
    there; nothing is asked then: -100 everywhere.
always-other-switch-unused
    Every text gets the end of `other[i]` in your answer, whatever `throw` and `nsp` say. It keeps its own
    where its throw is below 0.5, and with `nsp` False always.
first-throw-for-all
    One throw, the first, decides for all texts. Each text has a throw of its own, `throw[i]`.
written-over
    You write into the ends while they are still needed: a text may get an end that was exchanged before.
    `other[i]` means the end as it stands in `ends`: read from `ends`, and write into another tensor.
ends-swapped
    You swap two ends, so the text `other[i]` gets another one, too. It may have kept its own: each text takes
    its second part from `ends`, and nothing is taken away there.
neighbour-for-other
    For "random" you take the end of the text before or behind it in the batch. Whose end it is says
    `other[i]`.
label-by-what-stands-there
    Your label looks whether the end that stands second is like the own one. Two texts may end alike, and then
    a random end looks like the own one. The label says how the pair was made: by `throw`.
other-as-label
    For random pairs your label is `other[i]`. The label says that a pair is random, 0, and not whose end it
    has.
source-as-label
    Your labels say whose end stands second. The label says how the pair was made: 1 for "next", 0 for
    "random".
minus-for-random
    Your label for "random" is a number below 0. It is 0: the label is the number of a column of two scores.
    (-100 says "not asked", so such a pair would not count at all.)
labels-1-and-2
    Your labels are 1 for "random" and 2 for "next". They are the numbers of two columns, counted from 0.
column-of-labels
    Your labels have two axes, (B, 1). One label for each text is (B,).
exchanged
    Both are right, and they come back in the other order. Return `seconds, labels`.
""")
WORDS = TOLD
BESIDE = entries("""
ends-exchanged
    The ends are exchanged: where the throw is below 0.5 a text gets the end of another one, and where it is
    0.5 or more it keeps its own. Keep the own end where the throw is below 0.5.
off-asked
    With `nsp` False labels of 1 and 0 are still there. Nothing is asked then: -100 everywhere.
off-all-next
    With `nsp` False your labels are 1, and the model would be asked about its pairs. "Not asked" is -100.
""")
