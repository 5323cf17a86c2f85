"""10a.calculator: a tool that does sums and nothing else."""

import ast

from course_lib.practice.chapter_10a.calculator_ways import MEASURES, REFUSED, SIGNS, WAYS
from course_lib.practice.chapter_10a.calculator_words import WORDS
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def calculate(text):
    def value(node):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
            a, b = value(node.left), value(node.right)
            return a + b if isinstance(node.op, ast.Add) else a - b if isinstance(node.op, ast.Sub) else a * b
        raise ValueError("neither a whole number nor + - *")  # all that is not named is refused

    if not set(text) <= set("0123456789+-*()"):  # Python reads 0x10 and 1_0 as numbers, too
        return "error: not a sum"
    try:
        return str(value(ast.parse(text, mode="eval").body))
    except (SyntaxError, ValueError):
        return "error: not a sum"


SUMS = {
    "a sum": "17+25",
    "a difference below 0": "3-10",
    "a product before a sum": "2+3*4",
    "a product in front of a sum": "2*3+4",
    "brackets": "(2+3)*4",
    "differences from left to right": "20-9-2",
    "a difference in brackets": "20-(9-2)",
    "brackets in brackets": "((7-2)*(3+4))-1",
    "one number": "205",
    "a difference of 0": "3-3",
    "a part of 0": "(2-2)*3+1",
    "numbers of many digits": "123456789*987654321",
    "a result of twenty digits": "9999999999*9999999999",
    "fifty numbers": "+".join(["1"] * 50),
}
OTHERS = {  # harmless, should somebody run them
    "a power": "2**10",
    "a division": "7/2",
    "a division without a rest": "7//2",
    "a number with a point": "1.5+2",
    "a call that asks for the folder": "__import__('os').getcwd()",
    "a call that asks for the process": "__import__('os').getpid()",
    "a call without a name": "().__class__.__name__.__len__()",
    "a name that is no sum": "True+1",
    "a comparison": "2+3<4",
    "a sum and more": "17+25,1",
    "a sum that is cut off": "17+",
    "a bracket that is not closed": "(2+3",
    "a bracket too many": "2+3)*4",
    "words": "seventeen",
    "a letter in front of a sum": "a2+3",
    "a text": "'17'*3",
    "brackets with nothing in them": "()",
    "no text at all": "",
    "a number as Python writes it in base 16": "0x10",
    "a number as Python writes it in base 2": "0b11*2",
    "a number with `_` between its digits": "1_0",
    "a sum and a comment": "1+2#x",
    "a sum of 100 characters that is cut off": "1+" * 50,
    "many brackets that are not closed": "(" * 9 + "1",
    "an Arabic digit": "٣+4",
    "a wide digit": "３*2",
}


def cases() -> list[Case]:
    return [Case(name, (text,)) for name, text in (SUMS | OTHERS).items()]


def further() -> list[Case]:
    texts = (
        "8-3-2-1",
        "2*(3+4)*5-6",
        "(12)",
        "9-(3-(2-1))",
        "3**2",
        "len('abc')",
        "[1]+[2]",
        "5%3",
        "1<<4",
        "(1+2",
        "1+2)",
        "*3",
        "2*",
        "3+()",
        "False*2",
        "2.0",
        "0o17",
        "1_000-1",
        "4#5",
        "2*٤",
        "b2+3",
    )
    return [Case(text, (text,)) for text in texts]


CALCULATOR = Exercise(
    id="10a.calculator",
    title="A tool that does sums and nothing else",
    minutes=12,
    difficulty=3,
    statement=prose(f"""
        Write `calculate(text)`. A model writes `text`, so anybody who talks to the model can steer it. Return
        a text. For a sum of whole numbers (digits 0 to 9) with `+`, `-`, `*` and round brackets it is the
        result: `calculate("2+3*4")` gives "14", `calculate("3-10")` gives "-7". For everything else, such as
        "2**10", "7/2", "17+", a name or a call, it is "{REFUSED}". Nothing that is not a sum may be worked
        out or run, and no error may leave the function. A text has at most 100 characters. Spaces, zeros in
        front of a number, and numbers with a sign of their own do not come.

        Python can read without running: `ast.parse(text, mode="eval").body` is an `ast.Constant` with a
        `value`, or an `ast.BinOp` with `left`, `op` and `right`, or something else. Your own parser is as
        good.
    """),
    inputs={"text": "a text"},
    outputs=(Output("result", form="text"),),
    reference=calculate,
    cases=cases,
    further=further,
    hints=(
        prose("""
            Do not list what is forbidden: name what is allowed, and refuse the rest. Which two kinds of node
            are allowed, and which three kinds of `op`? What does `ast.parse` do with "17+", and what with
            "1_0"?
        """),
        lines("""
            value(node):
                a Constant whose value has the type int: its value
                a BinOp whose op is Add, Sub or Mult:    value(left) and value(right), worked out
                anything else:                           raise ValueError
            if a character of the text is none of 0123456789+-*():  "error: not a sum"
            try:     the text of value(ast.parse(text, mode="eval").body)
            except SyntaxError or ValueError:  "error: not a sum"
        """),
    ),
    misconceptions=misconceptions(WORDS, WAYS, MEASURES, SIGNS),
    insight=prose("""
        It names what may run; nobody can name all that must not. The library's calculator bounds the length
        of a text and the size of a number as well, so that no sum takes for ever.
    """),
    advice=advice(r"""
SyntaxError|was never closed|unexpected EOF|invalid syntax|unmatched
    A text that cannot be read is no sum: catch `SyntaxError` around `ast.parse` and return the error's text.
RecursionError
    Does `value` call itself with a part of the node, `node.left` and `node.right`?
ValueError|TypeError|KeyError|name '__import__'
    For a sum nothing should be raised. For what is no sum, catch the error and return the text for errors.
"""),
)
