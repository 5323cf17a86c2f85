"""Trained parameters from elsewhere: a model in the form of the `transformers` library, into ours.

    bert = load_bert("a/folder")                                       # config.json and model.safetensors
    bert = load_bert("google-bert/bert-base-uncased", download=True)   # from the Hugging Face hub, when asked
    gpt2 = load_gpt2("openai-community/gpt2", download=True)

    tokenizer = load_tokenizer("a/folder")    # the model's own, through the `tokenizers` library
    tokenizer = load_bpe("a/folder")          # GPT-2's files in the course's own class

Without `download=True` nothing goes over the network. Where ours and theirs give different numbers,
`first_difference` names the part at which that begins.
"""

from course_lib.models.hugging_face.bert import load_bert, load_encoder, ours, read_config
from course_lib.models.hugging_face.difference import Difference, first_difference, states_of
from course_lib.models.hugging_face.gpt2 import load_gpt2
from course_lib.models.hugging_face.tokenizer import load_bpe, load_tokenizer, read_tokenizer

__all__ = [
    "Difference",
    "first_difference",
    "load_bert",
    "load_bpe",
    "load_encoder",
    "load_gpt2",
    "load_tokenizer",
    "ours",
    "read_config",
    "read_tokenizer",
    "states_of",
]
