"""03.layer: what learners write. Right parts are those of ``parts.multi_head``."""

import torch

from course_lib.practice import parts
from course_lib.practice.chapter_03.merge import join, join_by_reshape
from course_lib.practice.chapter_03.split import cut


def wrong(**exchanged):
    return lambda *args: parts.multi_head(*args, **exchanged)


def unprojected(merged, params):
    return merged


def with_mask(change):
    return wrong(mask=lambda scores, allowed: parts.block(scores, change(allowed)))


def project(*, no_bias="", early="", turned="", left_out="", by=None, **more):
    """Projections changed by their names, "qkvo"; ``by`` says which one takes the matrix of another one.

    ``more``: other parts that are exchanged at the same time.
    """

    def changed(x, params, name):
        if name in left_out:
            return x
        weight, bias = (params[kind + (by or {}).get(name, name)] for kind in ("W_", "b_"))
        weight = weight if name in turned else weight.T
        if name in early:
            return (x + bias) @ weight
        return x @ weight + (0 if name in no_bias else bias)

    return wrong(linear=changed, **more)


def split_first(same):
    """Each head projects its own K features; ``same``: all of them by the first K rows and columns."""

    def layer(x_q, x_kv, params, n_heads, allowed):
        size, own = x_q.shape[-1] // n_heads, dict(params)
        for name in "qkv":
            weight, bias = params["W_" + name], params["b_" + name]
            starts = [0 if same else h * size for h in range(n_heads)]
            own["W_" + name] = torch.block_diag(*(weight[i : i + size, i : i + size] for i in starts))
            own["b_" + name] = torch.cat([bias[i : i + size] for i in starts])
        return parts.multi_head(x_q, x_kv, own, n_heads, allowed)

    return layer


def changed_linear(*, transposed=True, bias=True, names="qkv"):
    def linear(x, params, name):
        if name not in names:
            return parts.linear(x, params, name)
        weight = params["W_" + name]
        return x @ (weight.T if transposed else weight) + (params["b_" + name] if bias else 0)

    return linear


# The parts that the slips of ``layer_words.SLIPS`` exchange.
EXCHANGED = {
    "not-transposed": {"linear": changed_linear(transposed=False)},
    "no-biases": {"linear": changed_linear(bias=False)},
    "no-w-o": {"out": unprojected},
    "no-scale": {"scale": parts.unscaled},
    "scaled-by-d-model": {"scale": lambda q, k, v: (q.shape[1] * q.shape[-1]) ** -0.5},
    "mask-unused": {"mask": parts.unmasked},
    "mask-after": {"mask": parts.unmasked, "after": parts.zero},
    "mask-inverted": {"mask": lambda scores, allowed: parts.block(scores, ~allowed)},
    "split-by-view": {"split": cut("bhtk")},
    "merge-by-view": {"merge": join_by_reshape},
}


def values_from_keys(x, params, name):
    return parts.linear(parts.linear(x, params, "k") if name == "v" else x, params, name)


WAYS = {
    "no-w-o": (wrong(out=unprojected), wrong(out=lambda merged, params: merged + params["b_o"])),
    "not-merged": (
        wrong(merge=lambda heads: heads, out=unprojected),
        wrong(merge=lambda heads: heads.transpose(1, 2), out=unprojected),
    ),
    "mask-without-heads": with_mask(lambda allowed: allowed[:, 0]),
    "biases-forgotten": tuple(
        project(no_bias=names)
        for names in ("qkvo", "qkv", "qv", "qk", "q", "kv", "v", "o", "qo", "vo", "qvo")
    ),
    "no-biases-mask-after": tuple(
        project(no_bias=names, mask=parts.unmasked, after=parts.zero) for names in ("qkvo", "qkv", "o")
    ),
    "no-biases-no-scale": tuple(
        project(no_bias=names, scale=parts.unscaled) for names in ("qkvo", "qkv", "o")
    ),
    "not-transposed-mask-after": tuple(
        project(turned=names, mask=parts.unmasked, after=parts.zero) for names in ("qkvo", "qkv", "o")
    ),
    "split-before-projecting": (split_first(False), split_first(True)),
    "values-from-keys": wrong(linear=values_from_keys),
    "heads-summed": (
        wrong(merge=lambda heads: heads.sum(dim=1).repeat(1, 1, heads.shape[1])),
        wrong(merge=lambda heads: heads.mean(dim=1).repeat(1, 1, heads.shape[1])),
    ),
    "b-o-for-each-head": lambda *args: wrong()(*args) + (args[3] - 1) * args[2]["b_o"],
    "bias-too-early": tuple(project(early=names) for names in ("o", "qkv", "qkvo")),
    "not-transposed": tuple(project(turned=names) for names in ("qkvo", "qkv", "q", "k", "v", "o", "qk")),
    "heads-interleaved": (
        wrong(split=cut("btkh", "bhtk"), merge=join("btkh")),
        wrong(split=cut("btkh", "bhtk")),
        wrong(merge=join("btkh")),
    ),
    "one-head": tuple(
        lambda x_q, x_kv, params, n_heads, allowed, of=of: wrong()(x_q, x_kv, params, 1, of(allowed))
        for of in (lambda mask: mask[:, :1], lambda mask: mask.any(dim=1, keepdim=True))
    ),
    "one-matrix-for-two": tuple(
        project(by=by) for by in ({"k": "q"}, {"q": "k"}, {"v": "k"}, {"k": "v"}, {"k": "q", "v": "q"})
    ),
    "queries-from-the-wrong-sentence": tuple(
        wrong(sources=sources) for sources in ("qqq", "kkk", "qkq", "qqk", "kqq")
    ),
    "no-projections": project(left_out="qkv"),
    "projection-missing": tuple(project(left_out=names) for names in ("v", "k", "q", "qk", "kv")),
    "keys-and-values-swapped": project(by={"k": "v", "v": "k"}),
    "residual-added": lambda x_q, *rest: x_q + wrong()(x_q, *rest),
}
