"""From text to batches of token ids: tokenizers, special tokens, padding."""
