"""GPT-1 to GPT-4: what the papers print, what was new, and what was never published.

Every number here stands in a paper, a table or the authors' code, named in `sources`. What is not published
is None: a number for it on the web is a rumour. How many parameters the shapes give is counted elsewhere
(`models/gpt_sizes`), with the formula that is tested on our own class.

Sources: Radford et al. 2018 (Improving Language Understanding by Generative Pre-Training); Radford et al.
2019 (Language Models are Unsupervised Multitask Learners); Brown et al. 2020 (Language Models are Few-Shot
Learners, arXiv 2005.14165); OpenAI 2023 (GPT-4 Technical Report, arXiv 2303.08774).
"""

import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One model as its paper shows it; None: not published.

    Args:
        name: as we call it.
        year: of the paper.
        n_layers, d_model, n_heads: of the decoder; a feed-forward network has 4 · d_model in the middle.
        d_k: features of one head, where the paper prints it.
        context: tokens that are seen at once.
        vocab_size: different tokens.
        printed: parameters, in millions, as printed.
    """

    name: str
    year: int
    n_layers: int | None
    d_model: int | None
    n_heads: int | None
    d_k: int | None
    context: int | None
    vocab_size: int | None
    printed: float | None


@dataclass(frozen=True)
class Paper:
    """What one paper did, in a few words.

    Args:
        name, year: of the model.
        data: what it was trained on.
        new: what had not been done before it.
        not_published: what a reader of the paper does not get.
        sources: where each of these stands.
    """

    name: str
    year: int
    data: str
    new: str
    not_published: str
    sources: str


# 40,000 merges (section 4.1); with the single characters the released vocabulary has 40,478 entries (code).
GPT_1 = Published("GPT-1", 2018, 12, 768, 12, None, 512, 40_478, None)
# Table 2 prints 117M and so on; the authors' code repository says since that these counts were wrong.
GPT_2 = (
    Published("GPT-2 small", 2019, 12, 768, 12, None, 1024, 50_257, 117),
    Published("GPT-2 medium", 2019, 24, 1024, 16, None, 1024, 50_257, 345),
    Published("GPT-2 large", 2019, 36, 1280, 20, None, 1024, 50_257, 762),
    Published("GPT-2 XL", 2019, 48, 1600, 25, None, 1024, 50_257, 1542),
)
# Table 2.1 with its misprints: the heads of XL (24 · 128) do not make 2048, those of 13B (40 · 128) not 5140.
GPT_3 = (
    Published("GPT-3 Small", 2020, 12, 768, 12, 64, 2048, 50_257, 125),
    Published("GPT-3 Medium", 2020, 24, 1024, 16, 64, 2048, 50_257, 350),
    Published("GPT-3 Large", 2020, 24, 1536, 16, 96, 2048, 50_257, 760),
    Published("GPT-3 XL", 2020, 24, 2048, 24, 128, 2048, 50_257, 1_300),
    Published("GPT-3 2.7B", 2020, 32, 2560, 32, 80, 2048, 50_257, 2_700),
    Published("GPT-3 6.7B", 2020, 32, 4096, 32, 128, 2048, 50_257, 6_700),
    Published("GPT-3 13B", 2020, 40, 5140, 40, 128, 2048, 50_257, 13_000),
    Published("GPT-3 175B", 2020, 96, 12_288, 96, 128, 2048, 50_257, 175_000),
)
GPT_4 = Published("GPT-4", 2023, None, None, None, None, None, None, None)

MODELS = (GPT_1, *GPT_2, *GPT_3, GPT_4)
LARGEST = (GPT_1, GPT_2[-1], GPT_3[-1], GPT_4)  # the one that bears the name of its paper

PAPERS = (
    Paper(
        "GPT-1",
        2018,
        "BooksCorpus: over 7,000 unpublished books",
        "one decoder learns to guess the next token, then is trained a little more for each task",
        "the number of parameters: the section on the model gives its shapes",
        "section 4.1 (data, layers, 512 tokens, 40,000 merges)",
    ),
    Paper(
        "GPT-2",
        2019,
        "WebText: 8 million pages, 40 GB, to which people on Reddit had linked",
        "no training for a task at all: the task stands in the text. Byte-level BPE; norms before the "
        "sub-layers and one at the end; smaller first residual matrices",
        "WebText; the learning rates; how long it was trained. Table 2 prints 117M; the shape has 124.4M",
        "section 2.1 (data), 2.2 (BPE), 2.3 and Table 2 (model); authors' README (the counts were wrong)",
    ),
    Paper(
        "GPT-3",
        2020,
        "300 billion tokens: 60 % filtered Common Crawl, 22 % WebText2, 16 % books, 3 % Wikipedia",
        "a hundred times larger; a few examples in the prompt take the place of training; every second layer "
        "looks at a band of neighbours alone",
        "the trained parameters, and the two collections of books",
        "section 2.1 and Table 2.1 (models), 2.2 and Table 2.2 (data; the shares are rounded)",
    ),
    Paper(
        "GPT-4",
        2023,
        "not published: “publicly available data” and data under licence",
        "reads pictures too; trained further on people's judgements (RLHF); some results were foretold from "
        "runs with a thousandth of its compute",
        "size, layers, context of the model as trained, data, compute and method: the report says that it "
        "contains no further details of these",
        "abstract; section 2",
    ),
)


def told(papers: tuple[Paper, ...] = PAPERS, width: int = 100) -> str:
    """What each paper did, in a few lines: data, what was new, what was not published."""
    found = []
    for paper in papers:
        parts = {"data": paper.data, "new": paper.new, "not published": paper.not_published}
        found.append(f"{paper.name}, {paper.year}")
        found += [
            textwrap.fill(f"{name + ':':15}{text}", width, initial_indent="  ", subsequent_indent=" " * 17)
            for name, text in parts.items()
        ]
    return "\n".join(found)
