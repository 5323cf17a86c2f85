"""AnswerGroup: answers that a policy drew to one question, their rewards, what is pushed up (GRPO)."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import traitlets

from course_lib.viz.diagrams.answer_group import Answered, answer_group
from course_lib.viz.groups import CLIP, Compared, compare, ratios
from course_lib.viz.still import Still, shown
from course_lib.widgets.front import LiveView, script, styles, with_still

Draw = Callable[[int], Sequence[tuple[Sequence[str], Sequence[float]]]]  # seed → (tokens, log-probabilities)
Reward = Callable[[Sequence[str]], float]
Step = Callable[[Sequence, Sequence[float]], Sequence[Sequence[float]]]  # answers, advantages → log-probs

MOST_ANSWERS, MOST_TOKENS, MOST_REWARDS = 16, 80, 6
STEPS = (1, 2)  # the step on answers that the policy itself wrote; the next one on the same answers


class AnswerGroup(LiveView):
    """A question, a group of answers, and how each did beside the others.

    `seed` (of the draw), `reward` (its name), `step` (1: the policy that learns is the one that wrote; 2: one
    step later, on the same answers), `clip` (ε), `answer` and `token` (the token that is told of) follow the
    reader and can be set. `answers` are those of the last draw, `groups` their comparison by each reward.
    """

    _esm = script("answer_group", "painting", "writing/asking", "clip", "words")
    _css = styles()

    title = traitlets.Unicode().tag(sync=True)
    question = traitlets.Unicode().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)  # of the rewards
    has_second = traitlets.Bool(False).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    reward = traitlets.Unicode().tag(sync=True)
    step = traitlets.Enum(STEPS, 1).tag(sync=True)
    clip = traitlets.Float(CLIP).tag(sync=True)
    answer = traitlets.Int(0).tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)
    start = traitlets.Dict().tag(sync=True)  # what "Reset" brings back

    answered = traitlets.Dict().tag(sync=True)  # the state that the rest answers
    said = traitlets.List().tag(sync=True)  # G answers: tokens, and the chance of each when it was drawn
    compared = traitlets.Dict().tag(sync=True)  # name of a reward → Compared
    ratio = traitlets.List().tag(sync=True)  # of each token, (G, T); empty: all 1
    message = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        draw: Draw,
        rewards: Mapping[str, Reward],
        question: str = "",
        *,
        second_step: Step | None = None,
        seed: int = 0,
        reward: str | None = None,
        clip: float = CLIP,
        title: str = "",
    ):
        """draw: seed → G answers, 2 to 16, each its tokens and their log-probabilities (natural logarithm),
            drawn at temperature 1 as `course_lib.training.rollouts.roll_out` does it.

        rewards: name → function from the tokens of an answer to its reward; the reader switches among them.
        question: what was asked, to be read.
        second_step: (the answers that `draw` gave, their advantages) → the log-probabilities of the same
            tokens by the policy after one step with these advantages; None: no such step can be shown.
        seed: of the first draw. reward: the name of the first one. clip: ε, at least 0 and below 1.
        Raises ValueError for no rewards or more than 6, an unknown name, or another ε.
        """
        if not isinstance(rewards, Mapping) or not 1 <= len(rewards) <= MOST_REWARDS:
            raise ValueError(
                f"rewards is {rewards!r:.80}, expected name → function, 1 to {MOST_REWARDS} of them"
            )
        self._draw, self._rewards, self._second = draw, dict(rewards), second_step
        self._drawn: tuple[int, list] | None = None  # seed, what `draw` gave
        self._stepped: dict[tuple[int, str], list[list[float]]] = {}
        self.answers: list[Answered] = []
        self.groups: dict[str, Compared] = {}
        super().__init__(
            title=title or "A group of answers: who did better than the rest?",
            question=question,
            names=[str(name) for name in rewards],
            has_second=second_step is not None,
        )
        self.seed, self.clip = seed, clip
        self.reward = self.names[0] if reward is None else reward
        kept = ("seed", "reward", "step", "clip", "answer", "token")
        self.start = {name: getattr(self, name) for name in kept}
        self._say()
        self.observe(self._say, names=["seed", "reward", "step"])

    @traitlets.validate("seed")
    def _a_seed(self, proposal) -> int:
        if not 0 <= proposal.value < 2**32:
            raise ValueError(f"seed is {proposal.value}, expected 0 to {2**32 - 1}")
        return proposal.value

    @traitlets.validate("reward")
    def _a_name(self, proposal) -> str:
        if proposal.value not in self.names:
            raise ValueError(f"reward is {proposal.value!r}, expected one of {', '.join(self.names)}")
        return proposal.value

    @traitlets.validate("clip")
    def _a_share(self, proposal) -> float:
        if not 0 <= proposal.value < 1:
            raise ValueError(f"clip is {proposal.value}, expected ε of at least 0 and below 1")
        return proposal.value

    def _say(self, _change=None) -> None:
        """Draw, reward and compare; whatever goes wrong becomes a sentence in the view."""
        asked = {"seed": self.seed, "reward": self.reward, "step": self.step}
        if asked == self.answered:
            return  # one message of the browser changes several traits
        message, now = "", []
        try:
            self._answer()
            now = self.ratios()
        except ValueError as error:
            message = str(error)
        except Exception as error:  # a broken function must not leave the view silent
            message = f"A function of this view stopped with {type(error).__name__}: {error}"
        with self.hold_sync():
            self.said = [
                {"tokens": [shown(token) for token in one.tokens], "chances": np.exp(one.log_probs).tolist()}
                for one in self.answers
            ]
            self.compared = {name: group._asdict() for name, group in self.groups.items()}
            self.ratio, self.message, self.answered = now if self.step == 2 else [], message, asked

    def _answer(self) -> None:
        if self._drawn is None or self._drawn[0] != self.seed:
            self.answers, self.groups, self._drawn = [], {}, None
            drawn = list(self._draw(self.seed))
            self.answers = checked(drawn)
            self._drawn = (self.seed, drawn)
        if not self.groups:
            self.groups = {
                name: compare([float(reward(one.tokens)) for one in self.answers])
                for name, reward in self._rewards.items()
            }

    def ratios(self) -> list[list[float]]:
        """π / π_old of each token of each answer: 1 at step 1, where both are one policy.

        Raises ValueError when `second_step` gives other shapes.
        """
        if self.step == 1 or self._second is None or not self.groups:
            return [[1.0] * len(one.tokens) for one in self.answers]
        key = (self.seed, self.reward)
        if key not in self._stepped:
            now = [
                list(map(float, row))
                for row in self._second(self._drawn[1], self.groups[self.reward].advantages)
            ]
            wanted = [len(one.tokens) for one in self.answers]
            if list(map(len, now)) != wanted:
                raise ValueError(
                    f"second_step gave {[len(row) for row in now]} log-probabilities, expected {wanted}: "
                    "one for each token of each answer"
                )
            self._stepped = {
                key: [ratios(row, one.log_probs) for row, one in zip(now, self.answers, strict=True)]
            }
        return self._stepped[key]

    def still(self) -> Still:
        """The answers with rewards and advantages, for places where nothing is live."""
        return answer_group(
            self.question,
            self.answers,
            self.groups.get(self.reward),
            reward=self.reward,
            message=self.message,
            title=self.title,
        )

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        return with_still(super()._repr_mimebundle_(**kwargs), self.still())


def checked(drawn: Sequence) -> list[Answered]:
    """What `draw` gave as answers.

    Raises ValueError for too few or too many of them, an answer without tokens or with too many, or
    log-probabilities that are none.
    """
    if not 2 <= len(drawn) <= MOST_ANSWERS:
        raise ValueError(f"draw gave {len(drawn)} answers, expected 2 to {MOST_ANSWERS}: a group is compared")
    answers = []
    for n, (tokens, log_probs) in enumerate(drawn):
        tokens, values = [str(token) for token in tokens], [float(value) for value in log_probs]
        if not 1 <= len(tokens) <= MOST_TOKENS or len(tokens) != len(values):
            raise ValueError(
                f"draw gave {len(tokens)} tokens and {len(values)} log-probabilities as answer {n}, expected "
                f"as many of each, 1 to {MOST_TOKENS}"
            )
        if any(not value <= 1e-6 for value in values):
            raise ValueError(
                f"draw gave log-probabilities up to {max(values):g} as answer {n}, expected at most 0: are "
                "these probabilities?"
            )
        answers.append(Answered(tokens, values))
    return answers
