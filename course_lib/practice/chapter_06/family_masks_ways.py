"""06.family-masks: wrong masks, as rules on (query, key, n_input), and what is told of each."""

import torch

from course_lib.practice.chapter_04.causal import yes_or_no
from course_lib.practice.chapter_06.family_masks_words import SECOND_WORDS, WORDS
from course_lib.practice.words import entries


def full(query, key, n):
    return (key >= 0) & (query >= 0)


def causal(query, key, n):
    return key <= query


def prefix(query, key, n):
    return (key <= query) | (key < n)


def wrong(encoder=full, decoder=causal, prefix=prefix):
    """Other rules on (query, key, n_input) for one family or more; True and False are rules, too."""

    def mask(family, n_input, N):
        rule = {"encoder-only": encoder, "decoder-only": decoder, "prefix-LM": prefix}[family]
        place = torch.arange(N)
        return rule(place[:, None], place[None, :], n_input).expand(N, N)

    return mask


def strict(query, key, n):
    return key < query


def looks_ahead(query, key, n):
    return key <= query + 1


def turned(query, key, n):
    return key >= query


def block(query, key, n):
    return (query < n) & (key < n)


def input_columns(query, key, n):
    return full(query, key, n) & (key < n)


def input_rows(query, key, n):
    return full(query, key, n) & (query < n)


def written(query, key, n):
    """The past without the input."""
    return (key <= query) & (key >= n)


def itself(query, key, n):
    return key == query


def rest_rows(query, key, n):
    return full(query, key, n) & (query >= n)


def rest_columns(query, key, n):
    return full(query, key, n) & (key >= n)


def either(*rules):
    return lambda *at: torch.stack(torch.broadcast_tensors(*(rule(*at) for rule in rules))).any(0)


def longer(by):
    return lambda query, key, n: prefix(query, key, n + by)


def cut_short(query, key, n):
    """As `[:, : n - 1]` opens it: all but the last column where the input is empty."""
    return (key <= query) | (key < (n - 1 if n else key.max()))


def moved(by):
    return lambda query, key, n: key <= query + n + by


ENCODER = {  # slips in the mask of one family
    "encoder-as-decoder": (causal,),
    "encoder-sees-the-input-only": (input_columns, block),
    "encoder-as-prefix": (prefix,),
    "encoder-sees-not-itself": (lambda query, key, n: key != query,),
    "encoder-sees-itself-only": (itself, lambda query, key, n: ~full(query, key, n)),
}
DECODER = {
    "prefix-for-decoder": (prefix,),
    "decoder-without-the-input": (written, lambda *at: written(*at) | block(*at)),
    "decoder-open": (full,),
}
PREFIX = {
    "prefix-as-decoder": (causal,),
    "prefix-as-encoder": (full,),
    "input-sees-the-output": (either(causal, input_rows), either(prefix, input_rows)),
    "input-sees-the-output-alone": (input_rows, either(input_rows, input_columns)),
    "bos-in-the-input": (longer(1),),
    "input-one-short": (longer(-1), cut_short),
    "input-hidden-from-the-output": (either(block, written),),
    "input-block-alone": (block, either(block, itself)),
    "input-columns-alone": (input_columns,),
    "input-and-itself": (either(input_columns, itself),),
    "output-sees-everything": (
        either(input_columns, rest_rows), either(causal, rest_rows), either(block, rest_rows),
    ),
    "output-columns-opened": (either(causal, rest_columns),),
    "and-instead-of-or": (lambda query, key, n: (key <= query) & (key < n),),
    "diagonal-moved": (moved(0), moved(-1)),
}  # fmt: skip

# Slips in the triangle of the past, which two families share, and what often comes with them.
TRIANGLES = {"diagonal-blocked": strict, "sees-the-next": looks_ahead, "turned-round": turned}
SECOND = {
    "closed": lambda past: {"prefix": past},
    "for-all": lambda past: {"prefix": past, "encoder": past},
    "rows": lambda past: {"prefix": either(past, input_rows)},
    "bos": lambda past: {"prefix": either(past, lambda query, key, n: key <= n)},
}
BESIDE = (  # slips in the mask of a prefix-LM that are told beside one in that of an encoder-only model
    "input-sees-the-output", "bos-in-the-input", "input-one-short", "input-block-alone",
    "input-hidden-from-the-output", "output-sees-everything", "prefix-as-encoder",
)  # fmt: skip


def each(**slips):
    """Ways of the slips in one family: ``each(encoder=ENCODER)``."""
    [(family, of)] = slips.items()
    return {name: tuple(wrong(**{family: rule}) for rule in rules) for name, rules in of.items()}


def triangle(past):
    """A slip in the past, in both families that have one, or in one of them."""
    open_columns, open_block = either(past, input_columns), either(past, block)
    return (
        wrong(decoder=past, prefix=open_columns),
        wrong(decoder=past, prefix=open_block),
        wrong(decoder=past),
        wrong(prefix=open_columns),
        wrong(prefix=open_block),
    )


WAYS = {
    **each(encoder=ENCODER),
    **each(decoder=DECODER),
    **each(prefix=PREFIX),
    **{name: triangle(past) for name, past in TRIANGLES.items()},
    "tril-for-all": wrong(encoder=causal, prefix=causal),
    "encoder-and-decoder-exchanged": wrong(encoder=causal, decoder=full),
    "prefix-and-decoder-exchanged": wrong(decoder=prefix, prefix=causal),
    "prefix-for-all": wrong(encoder=prefix, decoder=prefix),
}
TOLD = entries(WORDS)
AND = entries(SECOND_WORDS)
for name, past in TRIANGLES.items():
    for second, slip in SECOND.items():
        if (name, second) == ("turned-round", "rows"):  # the same cells as without the second slip
            continue
        WAYS[f"{name}-{second}"] = wrong(decoder=past, **slip(past))
        TOLD[f"{name}-{second}"] = f"{TOLD[name]} {AND[second]}"
for name in ("encoder-as-decoder", "encoder-sees-the-input-only", "encoder-as-prefix"):
    for other in BESIDE:
        pairs = [(encoder, rule) for encoder in ENCODER[name] for rule in PREFIX[other]]
        WAYS[f"{name}-{other}"] = tuple(wrong(encoder=e, prefix=p) for e, p in pairs)
        TOLD[f"{name}-{other}"] = f"{TOLD[name]} And there is a second slip. {TOLD[other]}"


def of_prefix(rows, columns, opened):
    """Every wrong cell of a prefix-LM's mask lies in these rows and columns, and is open (or closed)."""

    def sign(expected, got, args):
        family, n, N = args
        place = torch.arange(N)
        inside = rows(place, n)[:, None] & columns(place, n)[None, :]
        bad = got != expected
        kept = yes_or_no(got) and bool((inside | ~bad).all())
        return family == "prefix-LM" and kept and bool((got[bad] == opened).all())

    return sign


def of_input(place, n):
    return place < n


def of_rest(place, n):
    return place >= n


SIGNS = {
    "prefix-as-decoder": of_prefix(of_input, of_input, opened=False),
    "input-sees-the-output": of_prefix(of_input, of_rest, opened=True),
    "input-hidden-from-the-output": of_prefix(of_rest, of_input, opened=False),
    "output-sees-everything": of_prefix(of_rest, of_rest, opened=True),
}
