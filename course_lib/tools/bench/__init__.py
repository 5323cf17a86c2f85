"""`python3 -m course_lib bench NAME`: how fast the library is, measured beside its peers in the same run.

One module a benchmark, each with `main(arguments) -> exit code`. The figures are of this machine and of this
minute; what is held are ratios.
"""

from course_lib.tools import check_names, environment, parser, versions

BENCHES = {
    "attention": "our attention beside the bare kernel and beside torch.nn.MultiheadAttention",
    "bpe": "our tokenizer beside Hugging Face's `tokenizers` and beside a textbook's",
    "gpt": "training and writing with our GPT beside `transformers` and a plain script",
    "busy": "a training alone, and beside two busy processes",
}


def main(arguments: list[str]) -> int:
    """Run one benchmark; what follows its name goes to it."""
    asked = parser("bench", BENCHES)
    asked.add_argument("names", nargs="*", metavar="NAME", help="one of the list above; its options follow")
    names = asked.parse_args(arguments[:1]).names
    check_names("bench", "benchmark", names, BENCHES)
    if not names:
        asked.print_help()
        return 0
    environment.ensure(versions.pins(), ["bench", *arguments])
    name = names[0]
    if name == "attention":
        from course_lib.tools.bench import attention

        return attention.main(arguments[1:])
    if name == "bpe":
        from course_lib.tools.bench import bpe

        return bpe.main(arguments[1:])
    if name == "gpt":
        from course_lib.tools.bench import gpt

        return gpt.main(arguments[1:])
    from course_lib.tools.bench import busy

    return busy.main(arguments[1:])
