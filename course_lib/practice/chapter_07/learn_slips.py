"""07.learn: two slips at once."""

from course_lib.practice.chapter_07 import learn_ways as ways
from course_lib.practice.chapter_07.merge_slips import make as merging
from course_lib.practice.chapter_07.merge_slips import old_list
from course_lib.practice.chapter_07.two_slips import slips


def some_pairs(cut):
    def counting(words):
        return [(p, n) for word, n in words.items() for p in cut(list(ways.pairwise(word)))]

    return counting


def as_tuple(way):
    return lambda word, pair, new: tuple(way(list(word), pair, new))


def by_count_then(key):
    return lambda counts: min(counts, key=lambda pair: (-counts[pair], key(pair)))


def last_of_equals(counts):
    return max(reversed(list(counts)), key=counts.get)


def make(**parts):
    """The learning of ``learn_ways``; with ``wanted``, another number of merges."""
    wanted = parts.pop("wanted", lambda n: n)
    fails = parts.pop("fails", None)
    way = ways.learned(**parts, stops=fails is None)

    def learn(words, n_merges):
        try:
            return way(words, wanted(n_merges))
        except ValueError:
            raise fails("no pair is left") from None

    return learn


PARTS = {
    "times-ignored": {"counting": ways.without_times},
    "once-a-word": ({"counting": ways.once_a_word}, {"counting": some_pairs(set)}),
    "across-words": ({"counting": ways.across}, {"counting": ways.across_once}),
    "overlap-skipped": {"counting": ways.not_overlapping},
    "last-pair-lost": {"counting": some_pairs(lambda found: found[:-1])},
    "first-pair-lost": {"counting": some_pairs(lambda found: found[1:])},
    "in-twos": {"counting": some_pairs(lambda found: found[::2])},
    "largest-pair": {"pick": max},
    "smallest-pair": {"pick": min},
    "largest-of-equals": {"pick": ways.largest_of_equals},
    "first-of-equals": {"pick": ways.first_of_equals},
    "last-of-equals": {"pick": last_of_equals},
    "compared-as-text": (
        {"pick": by_count_then(str)},
        {"pick": by_count_then(lambda pair: (str(pair[0]), str(pair[1])))},
        {"pick": by_count_then(lambda pair: f"{pair[0]} {pair[1]}")},
        {"pick": by_count_then(lambda pair: f"{pair[0]}{pair[1]}")},
    ),
    "text-largest": {"pick": lambda counts: max(counts, key=lambda pair: (counts[pair], str(pair)))},
    "left-token-decides": {"pick": by_count_then(lambda pair: pair[0])},
    "right-token-decides": (
        {"pick": by_count_then(lambda pair: pair[::-1])},
        {"pick": by_count_then(lambda pair: pair[1])},
    ),
    "sum-decides": {"pick": by_count_then(sum)},
    "rarest-pair": (
        {"pick": lambda counts: min(counts, key=lambda pair: (counts[pair], pair))},
        {"pick": lambda counts: min(counts, key=counts.get)},
    ),
    "not-merged": {"merging": ways.not_merged},
    "not-skipped": {"merging": ways.not_skipped},
    "first-place-only": {"merging": ways.first_place},
    "from-the-right": {"merging": ways.from_the_right},
    "used-twice": {"merging": as_tuple(merging(walk=old_list))},
    "last-token-lost": {"merging": as_tuple(merging(stop=1))},
    "next-token-lost": {"merging": as_tuple(merging(skip=3))},
    "both-orders": {"merging": as_tuple(merging(match=lambda a, b, pair: pair in ((a, b), (b, a))))},
    "ids-from-257": {"id_of": lambda words, merges: 257 + len(merges)},
    "ids-from-255": {"id_of": lambda words, merges: 255 + len(merges)},
    "always-256": {"id_of": lambda words, merges: 256},
    "ids-after-the-largest": {"id_of": ways.after_last},
    "rare-pairs-left": {"least": 2},
    "one-too-many": {"more": 1},
    "one-too-few": {"more": -1},
    "size-for-steps": {"wanted": lambda n: n - 256},
    "in-reverse": {"at_end": lambda merges: merges[::-1]},
    "sorted": {"at_end": sorted},
    "no-stop": ({"fails": ValueError}, {"fails": IndexError}, {"fails": KeyError}, {"fails": StopIteration}),
}

TOLD = """
times-ignored
    Every word counts once: add how often it occurs, not 1.
once-a-word
    A pair that stands twice in a word is counted once: every place counts.
across-words
    Pairs are counted across the border of two words: count inside each word.
overlap-skipped
    In a run such as (6, 6, 6) you count (6, 6) once: every place with its right neighbour counts, so it
    is two.
last-pair-lost
    The last pair of each word is not counted: its left place is `len(word) - 2`, its right one
    `len(word) - 1`.
first-pair-lost
    The first pair of each word is not counted: it stands at the places 0 and 1.
in-twos
    You count in steps of two, so every second pair is missing: pairs overlap.
largest-pair
    You take the largest pair, whatever its count is: the count decides first, and of equals the smallest
    pair.
smallest-pair
    You take the smallest pair, whatever its count is: the count decides first.
largest-of-equals
    Among equally frequent pairs you take the largest: here it is the smallest.
first-of-equals
    Among equally frequent pairs you take the one that was met first: here it is the smallest pair.
last-of-equals
    Among equally frequent pairs you take the one that was met last: here it is the smallest pair.
compared-as-text
    Equally frequent pairs are compared as texts, letter by letter, and so "10" comes before "9": compare
    the pairs themselves, which are tuples of numbers.
text-largest
    Of equally frequent pairs you take the last one in the order of texts, where "9" comes after "10":
    here it is the smallest of the pairs themselves, which are tuples of numbers.
left-token-decides
    Among equally frequent pairs only the left token is compared: where it is the same, the right one
    decides.
right-token-decides
    Among equally frequent pairs the right token decides first: the left one does, as tuples are compared.
sum-decides
    Among equally frequent pairs the sum of the ids decides: compare the pairs themselves, as tuples.
rarest-pair
    You take the rarest pair: take the most frequent one.
not-merged
    The words are never merged, so the same pair comes again and again: put the new token into every word
    before you count again.
not-skipped
    When you merge, the right token of the pair is looked at again: both are used up, go on two places
    further.
first-place-only
    In each word only the first place is merged: merge every place.
from-the-right
    You merge from right to left: in a run, three 6 become new, 6 from the left.
used-twice
    In a run a token is merged twice, as right one and as left one: what is merged is used up.
last-token-lost
    Merging loses the last token of a word where it belongs to no pair: it must be written, too.
next-token-lost
    After a merge the next token is lost: go on two places, not three.
both-orders
    The two tokens are merged in the other order, too: the left one must stand first.
ids-from-257
    The first merge makes 257 with you, and it must make 256. (Is the pair in the list already when you
    write `256 + len(merges)`, or is the counter one ahead?)
ids-from-255
    The first merge makes 255 with you, which is a byte: it must make 256.
always-256
    Every merge makes the id 256: the first makes 256, the next 257, and so on.
ids-after-the-largest
    The new ids go on after the largest id in the words: the first merge makes 256, whatever bytes there
    are.
rare-pairs-left
    You stop when the best pair stands only once: such a pair is merged like any other.
one-too-many
    It is one merge too many: stop when the list holds `n_merges`.
one-too-few
    It is one merge too few: go on until the list holds `n_merges`.
size-for-steps
    You take `n_merges` for the size of the vocabulary, with 256 bytes in it: it is the number of steps.
in-reverse
    The list is turned round at the end: the first learned comes first.
sorted
    The list is sorted at the end: its order is that of learning.
no-stop
    Where no pair is left, your function fails instead of ending: stop before it looks for the best of
    none.
"""


def two_slips():
    return slips(make, PARTS, TOLD)
