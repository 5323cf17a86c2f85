"""The names of the assistant's stages, in the order in which they are made.

Apart from `assistant.stages`, which says what each is and loads it: that needs torch, and `chat --help` names
them without.
"""

STAGES = ("base", "sft", "dpo", "grpo")
