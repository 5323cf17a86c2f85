"""10b.advantages: what a tutor says of each wrong way."""

from course_lib.practice.words import entries

WORDS = entries("""
over-the-batch
    Mean and standard deviation are taken over the whole batch. So all answers to an easy prompt come out
    good, and all answers to a hard one bad. An answer is compared with the others to the same prompt: axis 1.
over-the-prompts
    You work along axis 0, over the prompts: the first answer of each prompt is compared with the first
    answers of other prompts. A group is a row, axis 1.
mean-of-the-batch
    You subtract the mean of the whole batch. So all answers to an easy prompt come out good. Each group has a
    mean of its own: `rewards.mean(dim=1, keepdim=True)`.
mean-over-prompts
    Your mean runs along axis 0, over the prompts. A group is a row: `mean(dim=1, keepdim=True)`.
not-centred
    The mean of the group is not subtracted. An advantage says how much better than the others an answer did:
    some are above 0 and some below.
mean-of-the-others
    You subtract the mean of the *other* answers of the group (as RLOO does). Here it is the mean of the whole
    group, this answer included.
against-the-best
    You subtract the best reward of the group, so no advantage is above 0. Subtract its mean.
against-the-worst
    You subtract the lowest reward of the group, so no advantage is below 0. Subtract its mean.
median
    You subtract the median of the group. Asked for is the mean, so that the advantages of a group sum to 0.
turned-round
    Your signs are turned round: the better answer comes out below 0. It is the reward minus the mean.
size-of-the-difference
    You take the size of the difference, so better and worse look alike. The sign must stay.
std-of-the-batch
    You divide by the standard deviation of the whole batch. Each group has one of its own:
    `rewards.std(dim=1, keepdim=True)`.
std-over-prompts
    Your standard deviation runs along axis 0, over the prompts. A group is a row: `std(dim=1, keepdim=True)`.
population
    Your standard deviation is divided by G: that of a whole population. Asked for is that of a sample, with
    G - 1, as `std` of torch has it unless told otherwise. (Both are in use; for a given G they differ by one
    factor.)
variance
    You divide by the variance. The standard deviation is its root.
not-divided
    You subtract the mean and do not divide (some later methods do that on purpose). Asked for is the distance
    in standard deviations of the group.
range
    You divide by the distance from the lowest reward to the highest. Asked for is the standard deviation.
mean-distance
    You divide by the mean distance from the mean. Asked for is the standard deviation: squares, their sum
    divided by G - 1, and the root.
not-divided-by-the-number
    You divide by the root of the *sum* of squares. In a standard deviation this sum is divided by G - 1
    before the root.
largest-distance
    You divide by the largest distance from the mean. Asked for is the standard deviation.
root-twice
    You divide by the root of the standard deviation. `std` has its root already.
no-guard
    Where all rewards of a group are equal, you divide 0 by 0, which is NaN; and one NaN spoils the whole
    step. There the advantages are 0: ask whether all rewards of the group are equal, or add a small number,
    such as 1e-4, to the standard deviation.
rounding-divided
    Equal rewards do not always have a mean that is equal to them: in float32 it is rounded. Then tiny
    differences stay, and you divide them by a number that is tiny as well, or 0, so the advantages are not 0.
    Ask whether all rewards of the group are equal. (A number far above rounding, such as 1e-4, helps as long
    as rewards are not much larger than 1.)
row-missing
    Where all rewards of a group are equal, its row is missing in your answer. Such a group needs a row as
    well, of zeros: there are as many rows as prompts, (P, G).
added-under-the-root
    A small number stands under the root, beside the variance. The root of 1e-4 is 0.01: where rewards lie
    close together the advantages come out too small. Take the root first, and then add the number, up to
    1e-4, to the standard deviation.
too-much-added
    What you add to the standard deviation is too much: all advantages come out too small. Up to 1e-4 is
    right.
brackets-missing
    Brackets are missing: you divide the mean alone, and then subtract it. First the difference, then divide
    it: `(rewards - mean) / std`.
not-0-where-equal
    Where the rewards of a group differ your advantages are right. Where all of them are equal, nobody did
    better than the others, and the advantages are 0: yours are not.
from-0-to-1
    You stretch each group from its lowest reward to its highest. Asked for is the distance from the mean, in
    standard deviations.
softmax
    You take a softmax of each group, so that all are above 0. An advantage is the distance from the mean, in
    standard deviations.
ranks
    You return ranks. How far apart the rewards of a group are counts, too: the distance from their mean.
only-the-sign
    You keep only the sign of the difference. How far apart the rewards are counts, too.
rewards-returned
    You return the rewards as they are. (Is something computed and not kept?)
""")
