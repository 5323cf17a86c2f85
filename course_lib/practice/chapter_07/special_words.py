"""07.special: what a tutor says."""

WORDS = """
shortest-first
    Where one special token begins like another, you take the shorter one: `<a>` out of `<a><b>`, and what is
    left is read by itself. Of all that begin at a place, the longest counts.
order-of-the-dict
    Where several special tokens begin at the same place, you take the one that stands first in the dict. Of
    all that begin at a place, the longest counts: sort by length before you look.
longest-in-the-whole-text
    You look for the longest special token in the whole text, then for the next one. So a long one that begins
    in the middle of another is found first. Go from left to right: what begins first counts, and length
    decides only among those that begin at the same place.
signs-not-escaped
    You make a regular expression of the spellings, and some of their signs have a meaning there: the bar is
    "or", `[EOS]` is one letter of E, O, S. `re.escape` makes each sign stand for itself.
first-place-only
    A special token that is spelled twice is found once. Every place counts.
letters-apart
    The text between special tokens is given to `encode` in single letters, so no token of several letters can
    come out. Give each piece to `encode` whole.
empty-pattern
    Where there are no special tokens your pattern is empty, and an empty pattern matches between all letters:
    they are encoded one by one. With nothing to look for, the whole text is one piece.
tail-lost
    The text after the last special token is lost. It goes through `encode` like every other piece, and so
    does a text without special tokens.
id-as-truth
    A special token with the id 0 is not found: asked whether it is true, 0 says no. Ask for the spelling,
    `if name in special`, or compare with None.
text-lost
    The special tokens are there, and the text between them is lost: each piece goes through `encode`.
specials-as-text
    No special token is found: everything is encoded as text. (That would be right for what a user has typed;
    this function is for texts of your own.)
specials-lost
    The special tokens are taken out, and their ids are missing: put `special[…]` between the pieces.
specials-in-front
    The ids of the special tokens stand in front. Each belongs where it is spelled.
stripped
    White space beside a special token is lost. It is text like all other: give each piece to `encode` as it
    is.
between-spaces-only
    You find a special token only where white space stands on both sides. It counts wherever it is spelled.
capitals-ignored
    You make capitals small. `<END>` is another spelling than `<end>`, and the letters of the text must stay.
"""
