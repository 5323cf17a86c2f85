"""Chapter 10b: what is asked before a run, and what later chapters ask at their door."""

from course_lib.practice.words import predictions, recall

PREDICTIONS = predictions("""
10b.dpo-first-loss
    DPO begins. The policy is an assistant after SFT, the reference a frozen copy of it. What is the loss of
    the first batch, before any step, in nats a pair?
    - 0: the two models agree on everything.
        They do, so all rewards and all margins are 0. The loss of a margin of 0 is -log σ(0), and σ(0) is one
        half.
    + ln 2 = 0.693, whatever the pairs are.
        Policy and reference are the same, so each reward is β · 0 and each margin 0: -log σ(0) = ln 2. If
        your first loss is another one, something is wrong: dropout, or a reference that is not a copy. But it
        is ln 2 with swapped pairs as well.
    - It depends on how often the policy finds the chosen answer likelier.
        That is not asked. What counts is how much likelier than the *reference* finds it, and here they are
        the same model.
    - It depends on β: the larger β, the larger the loss.
        β multiplies differences between policy and reference, and these are all 0.
10b.dpo-chosen
    DPO runs, the loss falls, and the margin between chosen and rejected answers grows. What does that say
    about the log-probability of the chosen answers?
    - It grows: they are what the policy learns to write.
        The loss does not ask for that. It sees a difference, and the difference also grows where the rejected
        answer falls.
    - It stays: the reference holds it.
        The reference is part of the reward of both answers. It holds neither where it is.
    - It falls, always, as probabilities must sum to 1.
        They sum to 1 over all answers that could be written, and there are very many: two of them can both
        grow, or both fall.
    + Nothing by itself: it may fall, if the rejected ones fall faster.
        Only the difference counts, and the two answers often share most of their words. So look at both
        curves, and not only at the margin: if the chosen answers fall as well, some third kind of text has
        become likelier, which nobody asked for.
10b.grpo-loss
    A policy writes 8 answers to each prompt, they are rewarded, and GRPO makes its first step on them,
    without KL. In each group some rewards differ. What are the loss and its gradient before this step?
    + The loss is 0, the gradient is not.
        The answers were written by this very policy, so every ratio is 1, and the loss is minus the mean
        advantage: 0 in every group. The gradient makes what has an advantage above 0 likelier and the rest
        less likely. So a loss of 0 does not mean that nothing is learned. Watch the reward.
    - Both are 0: the advantages of a group cancel each other.
        In the value they do. In the gradient each advantage multiplies the direction of its own answer, and
        these directions differ.
    - The loss is ln 2, the gradient is not 0.
        That is DPO's first loss. Nothing like a choice between two answers stands in this one.
    - The loss is large and falls during training.
        In the next step the policy writes new answers, and compares them with each other again: the value
        begins near 0 each time.
10b.all-right
    All 8 answers to a prompt are right, and each gets the reward 1. What does GRPO learn from them, if there
    is no KL?
    - To write all eight more often: they are right.
        It would be so if the reward itself were the weight. The weight is the reward minus the mean of the
        group, and that is 0.
    - To write them less often, as they bring nothing new.
        Less often would need a weight below 0. All are 0.
    + Nothing: no answer did better than the others.
        All advantages are 0, and so is the gradient. The same holds where all eight are wrong: prompts that
        are too easy or too hard cost time and teach nothing. (Without a guard, 0 / 0 is NaN and spoils the
        whole step.)
    - As much as from any other group: advantages have standard deviation 1.
        They do where rewards differ. Equal rewards have the standard deviation 0, and by agreement the
        advantage 0.
10b.longer
    Somebody takes length for a sign of quality: an answer earns up to 1 for the right words, wherever they
    stand, and 0.1 for each token. You watch the mean reward during GRPO. What will you see, and what is true?
    - The reward stays as it is: the reference forbids long answers.
        A reference forbids nothing. KL sets a price on going far from it, and where length pays more than
        that, the answers grow.
    + The reward rises, the answers grow long, and fewer of them are right.
        What is rewarded is what you get. The curve looks like success; only a measure that was *not* trained
        on, here how many answers are right, shows what is lost. So keep one such measure, and read the
        texts.
    - The reward rises, and the answers get better, as long ones say more.
        Nobody rewards what they say. A right answer that ends is worth less here than a wrong one that goes
        on.
    - The reward falls: the model cannot learn to be longer.
        It can, easily: the token that ends an answer becomes less likely in every place.
10b.lora-start
    An adapter adds (α / r) B A to a frozen matrix W. How should A and B begin?
    - Both random, so that they can learn.
        Then the model is another one before the first step: what was added to W is noise, and the loss begins
        higher than the base's.
    - Both 0, so that nothing is changed at first.
        Nothing is changed, and nothing ever will be: the gradient of B is multiplied by A, and that of A by
        B. Both are 0 for good.
    - As the largest directions of W, so that the base is in them.
        There are methods of this kind; they must subtract the same from W, or the base would count twice.
    + One random and the other 0.
        B A is 0, so training starts from exactly what the base does. And A is random, so B has a gradient at
        once, and A from the second step on.
""")

RECALL = recall("""
What is DPO's first loss, and which mistake does this number not show?
    ln 2 = 0.693 for any pairs, as policy and reference are still the same. Swapped pairs do not show: look at
    the margin after a step.
Why does DPO need a reference, and what is the log-probability of an answer there: a sum or a mean?
    A reward is how much likelier the policy finds an answer than the reference does, so short and common
    answers have no head start. It is the sum over the answer's tokens.
GRPO's loss is about 0 at every step. How can you see whether it learns?
    By the reward, and by a measure that is not trained on. Its advantages have mean 0 in each group, so the
    loss says nothing; the gradient is not 0.
What is an advantage in GRPO, and what is it where all answers to a prompt are right?
    The reward minus the mean of the group of answers to one prompt, in standard deviations of this group.
    Then all are 0, and nothing is learned from this prompt.
A reward rises for hours. Why is that not enough to call a model better?
    It may have found what the reward pays for and nobody wants, such as long answers. A second measure and
    the texts themselves show it.
How does a LoRA adapter begin, and how is it merged?
    A random, B = 0, so that the base is unchanged at first. Merged: W + (α / r) B A, one matrix, as fast as
    before.
""")
