"""`python3 -m course_lib chat`: a conversation with the Town's assistant, in the terminal."""

from course_lib.tasks.stage_names import STAGES
from course_lib.tools import Problem, environment, parser, versions

SEEDS = 100_000


def main(arguments: list[str]) -> int:
    """Talk until the person leaves."""
    asked = parser("chat")
    asked.add_argument(
        "--stage",
        choices=STAGES,
        metavar="NAME",
        default="sft",
        help="who answers: base (before instruction tuning), sft (default), dpo or grpo",
    )
    asked.add_argument("--story", metavar="TEXT", help="your own story; else the Town tells one")
    asked.add_argument("--seed", type=int, help="of the Town's stories; else new ones each time")
    asked.add_argument(
        "--temperature",
        type=float,
        default=0.0,
        help="0 (default): always the likeliest token; above 0: drawn by chance",
    )
    asked.add_argument("--plain", action="store_true", help="no colours")
    options = asked.parse_args(arguments)
    if not 0 <= options.temperature < float("inf"):
        asked.error(f"--temperature is {options.temperature}, expected 0 or more")
    environment.ensure(versions.ranges(), ["chat", *arguments])
    import torch

    from course_lib.tasks.assistant import Conversation, stages
    from course_lib.tools.chatting import NOT_THERE, RESTORE, Chatting
    from course_lib.tools.screen import Screen

    torch.set_num_threads(1)  # a small model gains nothing from a second one
    seed = _seed(options.seed)
    torch.manual_seed(seed % 2**63)
    screen = Screen(colour=not options.plain)
    try:
        chat = Conversation(stages.load, options.stage, temperature=options.temperature)
    except (OSError, ValueError):
        raise Problem(
            NOT_THERE.format(options.stage), f"{RESTORE}, or choose another one with --stage."
        ) from None
    try:
        return Chatting(chat, STAGES, screen, seed).run(options.story)
    except BrokenPipeError:  # who read has read enough
        screen.close()
        return 0


def _seed(asked: int | None) -> int:
    import random

    return random.SystemRandom().randrange(SEEDS) if asked is None else asked
