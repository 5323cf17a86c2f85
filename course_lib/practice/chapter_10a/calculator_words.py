"""10a.calculator: what a tutor says."""

from course_lib.practice.words import entries

WORDS = entries("""
eval
    Your function runs whatever stands in the text. On `{text}` it told {what}. It would have deleted your
    files as well, had the text said so. To look at the result is too late. Read the text with `ast.parse`,
    and work out only what you name.
eval-without-names
    To take the names away from `eval` is not enough. `{text}` was run, and gave {got}: from any value one
    comes to its type, and from there very far. Read the text with `ast.parse`, and work out only
    what you name.
signs-looked-at
    You look at the signs one by one, and what is made of them is run. `{text}` gave {got}. Two harmless signs
    make a power: `9**9**9` would keep the machine busy for ages. Name what may stand together, not the signs.
list-of-the-forbidden
    Some texts are refused and all the rest is run: `{text}` gave {got}. Nobody can list all that must not
    run. Name what may: numbers, three signs, brackets.
literal
    `ast.literal_eval` reads numbers, texts and lists; it does no sums. And it accepts what is no sum. Use
    `ast.parse`, and work out the sum yourself.
zero-dropped
    A result of 0 is refused. In Python 0 counts as False, so `if value:` and `value or …` drop it, and a
    difference such as 3-3 is a sum like any other. Ask whether the value `is None`.
of-bounded-size
    Your numbers have a bounded size: 9999999999*9999999999 is 99999999980000000001. Numbers of 64 bits, as
    NumPy and torch have them, run over, and floats are rounded. Python's own `int` has no such bound.
any-sign
    More signs are worked out than asked for: `{text}` gave {got}. Allowed are `ast.Add`, `ast.Sub` and
    `ast.Mult`, and all other signs are refused.
points
    Numbers with a point are worked out: `{text}` gave {got}. Allowed are whole numbers.
true-is-1
    `True+1` is worked out. In Python `True` is an `int`, too, so `isinstance(value, int)` lets it in:
    `type(value) is int` does not.
any-constant
    All constants are let in, so `{text}` gave {got}. A constant may be a text, or True: allowed are those
    whose type is `int`.
left-to-right
    You work from left to right, whatever the signs are. `*` comes before `+` and `-`: 2+3*4 is 14.
from-the-right
    Your differences run from the right: 20-9-2 became 20-(9-2). They run from the left, (20-9)-2.
sum-before-product
    With you `+` and `-` come before `*`. It is the other way round: 2+3*4 is 14.
brackets-lost
    The brackets have no effect. What stands in them is worked out first: (2+3)*4 is 20.
rest-not-read
    You stop reading where the sum ends, and what comes behind it is passed over. A text that goes on, as
    "2+3)*4" does, is no sum.
bracket-not-closed
    A bracket that is not closed is accepted. "(2+3" is no sum, and must be refused.
cut-off
    A sum that is cut off is accepted. "17+" is no sum, and must be refused.
foreign-skipped
    Characters that have no place in a sum are passed over: `{text}` gave {got}. A text that holds one is no
    sum, whatever stands around it. Do the parts that you found make up the whole text again?
other-digits
    Digits of other alphabets are read as well: `{text}` gave {got}. `isdigit` and `\\d` are true of them, and
    `int` reads them. Compare each character with "0123456789".
spellings-of-python
    `{text}` gave {got}. Python reads more spellings of a number than the digits 0 to 9, such as `0x10` and
    `1_0`, and it passes over what stands behind `#`. Look at the characters first: only the ten digits, three
    signs and brackets stand in a sum.
error-leaves
    For what is no sum an error leaves your function. The model should get to read what went wrong: catch the
    error, and return "error: not a sum".
error-leaves-in-part
    For some texts that are no sum an error leaves your function. There are two kinds: a text that Python
    cannot read (`SyntaxError`), and one that is not allowed. Both must end in "error: not a sum".
other-words
    What is no sum is refused, and in other words than asked for. The model is trained to read one text:
    "error: not a sum".
all-refused
    You refuse every text. For a sum, the result is asked for, as a whole number.
""")
