"""05.sinusoidal: what a tutor says."""

WORDS = """
concatenated
    Right numbers in another order: all sines stand first, then all cosines. Many programs do it so, and
    nothing is lost: the dot product of any two positions is the same in both orders. Here the two hands of a
    clock stand side by side, sine in column 2i and cosine in column 2i + 1.
cosine-first
    Sine and cosine have changed places. The sine stands first, in the even columns: position 0 begins
    0, 1, 0, 1.
two-clocks-in-a-pair
    Your exponent changes from column to column, so the sine of a pair belongs to one clock and its cosine to
    another, slower one. Both columns of a pair, 2i and 2i + 1, show the same angle: the exponent has the
    even number 2i in both.
half-the-exponent
    Your divisors are the roots of the right ones, as with the exponent i / D. It is 2i / D: i counts clocks,
    from 0 to D / 2 - 1. As it is, the last of your {clocks} clocks turns {half:.0f} times too fast.
double-the-exponent
    Your divisors are the squares of the right ones: the exponent is twice as large as asked. The even number
    2i runs 0, 2 … {last} for D = {D}, and it is divided by D, once.
first-clock-missing
    Your clocks begin with i = 1. The first one is i = 0: it turns one radian a position, and it tells
    neighbours apart best.
power-of-the-whole
    You take the power of the whole fraction, (p / 10000) to the 2i / D. The power belongs to 10000 alone:
    first `10000 ** (2 * i / D)`, then p divided by it.
last-clock-of-10000
    You spread the clocks so that the last one has the divisor 10000 itself: you divide by the number of
    clocks minus 1. Some programs do (tensor2tensor, by authors of the paper, is one). The paper's formula
    divides 2i by D, so the last divisor is {slowest:.0f} here.
one-speed
    All your clocks turn at the same speed, one radian a position: every exponent is 0. (`2 * i // D` does so:
    `//` cuts a fraction off, and 2i is smaller than D. The exponent is a fraction, `2 * i / D`.)
positions-from-1
    Your first row is position 1. Positions begin with 0: at position 0 all clocks stand at their start, sine
    0 and cosine 1.
position-multiplied
    Your clocks turn faster and faster: you multiply the position by 10000^(2i / D). Divide by it: clock 0 is
    the fastest, with one radian a position, and the later ones hardly move.
full-turns
    There is a 2π too many: one position is one radian here, not one full turn. Your clock 0 comes back to its
    start at every position, so it says nothing.
turn-divided
    You divide the angle by 2π. It is right as it stands: the position divided by 10000^(2i / D), in radians.
degrees
    Degrees and radians are mixed: your angles are too small or too large by the factor π / 180. `torch.sin`
    expects radians, and the position divided by 10000^(2i / D) is in radians already.
another-base
    Your clocks turn as if {base} stood where 10000 belongs. (Where it is written with `exp` and a logarithm:
    it is the natural one, `math.log`, that undoes `exp`.) {effect}
clocks-reversed
    Your exponents fall from clock to clock. Clock 0 is the fastest: its divisor is 10000 to the 0, which is
    1, and the divisors grow from there, 10000^(2i / D).
angles-rounded
    Your angles are rounded down to whole numbers, as `//` does it, so a slow clock stands still for a long
    time and then jumps. The position is divided with `/`.
position-as-share
    You divide the positions by T or by T - 1, so a vector depends on how long the text is. The same position
    must have the same vector in every text: take 0, 1, 2 … as they are.
sines-only
    Both columns of a pair hold the sine. One hand is not enough: the same height is reached on the way up and
    on the way down. The odd columns hold the cosine.
cosines-only
    Both columns of a pair hold the cosine. The even columns, 2i, hold the sine of the same angle.
features-as-rows
    Your table lies on its side: (D, T). Each position is a row, so that it can be added to the vector of the
    token that stands there: (T, D).
joined-in-rows-cosine-first
    Two slips. You put cosines and sines one behind the other and read them row by row into (T, D), so numbers
    of one position land in the row of another. Stack them along a new last axis, `dim=-1`, (T, D / 2, 2), and
    join the last two axes. And the sine stands first: position 0 begins 0, 1, 0, 1.
one-above-the-other
    You put two tables one above the other, (2T, D / 2): sines and cosines of one position stand in two rows.
    A position is one row: stack along a new last axis, `dim=-1`, (T, D / 2, 2), and join the last two axes.
angles-only
    These are the angles themselves, without sine and cosine: numbers that grow with the position. A sine and
    a cosine stay between -1 and 1.
"""
