"""08.cls-head: a new head on C: the pooler, then one score for each answer."""

import torch

from course_lib.practice import ideas
from course_lib.practice.chapter_08.cls_head_ways import PAIRS, WAYS, WORDS
from course_lib.practice.inputs import not_contiguous, random, seeded
from course_lib.practice.kinds import Case, Exercise, Output
from course_lib.practice.words import advice, lines, misconceptions, prose


def cls_head(vectors, W_p, b_p, W_a, b_a):
    C = vectors[:, 0]  # (B, D): what the last layer leaves at [CLS]
    pooled = torch.tanh(C @ W_p.T + b_p)  # (B, D)
    return pooled @ W_a.T + b_a  # (B, A)


def cases() -> list[Case]:
    g = seeded(806)

    def case(name: str, B: int, T: int, D: int, A: int) -> Case:
        W_p, W_a = random(g, D, D), random(g, A, D)
        args = (random(g, B, T, D), W_p, random(g, D) / 2, W_a, random(g, A))
        return Case(name, args, {"B": B, "T": T, "D": D, "A": A})

    turned = case("vectors that are not contiguous", 3, 2, 4, 5)
    return [
        case("three rows, two answers", 3, 6, 5, 2),
        case("two rows, four answers", 2, 3, 7, 4),
        case("as many rows as places, features and answers", 4, 4, 4, 4),
        case("as many rows as features", 5, 2, 5, 3),
        case("one row", 1, 4, 6, 3),
        case("rows of `[CLS]` alone", 3, 1, 4, 2),
        case("one answer", 2, 5, 3, 1),
        case("one feature", 4, 2, 1, 3),
        Case(turned.name, (not_contiguous(turned.args[0]), *turned.args[1:]), turned.sizes),
    ]


CLS_HEAD = Exercise(
    id="08.cls-head",
    title="A head on [CLS]",
    minutes=8,
    difficulty=1,
    statement=prose("""
        Write `cls_head(vectors, W_p, b_p, W_a, b_a)`. `vectors` (B, T, D) is what BERT's last layer leaves at
        each place; `[CLS]` stands at place 0. Return a score for each of A answers, (B, A), from the vector C
        of `[CLS]` alone, in two steps. The pooler: tanh of a dense layer, tanh(W_p C + b_p), with W_p (D, D)
        and b_p (D,). Then a second dense layer without anything behind it: W_a times what the pooler gives,
        plus b_a, with W_a (A, D) and b_a (A,). Scores may have any size: a softmax comes later, in the loss.
    """),
    inputs={"vectors": "B, T, D", "W_p": "D, D", "b_p": "D", "W_a": "A, D", "b_a": "A"},
    outputs=(Output("scores", ("B", "A")),),
    reference=cls_head,
    cases=cases,
    hints=(
        prose("""
            Which slice of `vectors` has one vector for each row of the batch? And W C means: each row of W
            times C. With one C in each row of a (B, D) tensor, is that `C @ W` or `C @ W.T`?
        """),
        lines("""
            C      = the vectors at place 0            (B, D)
            pooled = tanh of C W_pᵀ + b_p              (B, D)
            return pooled W_aᵀ + b_a                   (B, A)
        """),
    ),
    misconceptions=(*misconceptions(WORDS, WAYS), *ideas.squeezed(cls_head)),
    pairs=PAIRS,
    insight=prose("""
        One vector speaks for the whole row, because training asked it questions about the whole row. Before
        such a training it has no reason to know anything.
    """),
    advice=advice(r"""
mat1 and mat2|must match|cannot be multiplied|size mismatch
    For vectors in rows a matrix stands on the right, transposed: `C @ W_p.T + b_p`, `pooled @ W_a.T + b_a`.
    And one place of each row goes in, `vectors[:, 0]`, (B, D).
"""),
)
