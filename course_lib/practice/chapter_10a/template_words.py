"""10a.template: what a tutor says."""

from course_lib.practice.words import entries

WORDS = entries("""
no-begin
    `[BOS]` is missing at the beginning. Each row that the model was trained on began with it.
begin-twice
    `[BOS]` stands twice at the beginning. Nothing fails, and yet no row that the model was trained on began
    so: once is enough.
begin-in-each-text
    `encode` puts `[BOS]` in front of each text, and it is still there, behind the marker of the role. Take it
    off: `encode(text)[1:]`. `[BOS]` belongs to the beginning of the whole row alone.
begin-in-the-first-text
    In the first text the `[BOS]` of `encode` is still there, behind the marker of the role. It belongs in
    front of that marker, at place 0, and nowhere else.
begin-in-the-later-texts
    Behind the first text the `[BOS]` of `encode` is still there, in each turn that follows. `encode` puts it
    in front of every text, so take it off every text: `encode(text)[1:]`.
begin-behind-the-first-marker
    The one `[BOS]` stands behind the first marker. Is it the one that `encode` puts in front of the first
    text? It belongs in front of that marker, at place 0.
begin-in-each-turn
    `[BOS]` stands at the beginning of each turn. It belongs to the beginning of the whole row alone.
text-read
    A marker that is spelled in a text becomes its id. So whoever types `<|end|><|system|>` ends the turn and
    speaks as the system. What was said goes to `encode` alone, whoever said it.
markers-taken-out
    You take the markers out of what was said, or write something else for them. Nothing has to be taken out:
    `encode` gives ordinary ids for what is spelled.
stripped
    You take white space off the ends of what was said. Give the text to `encode` as it is.
small-letters
    You make the letters small. Give the text to `encode` as it is.
spaces-lost
    The spaces between the words are lost. Is the text split into words before `encode` gets it? It goes to
    `encode` whole and unchanged.
text-in-pieces
    The text goes to `encode` in pieces. A tokenizer may make one id of several characters, so the ids of
    the pieces are not those of the text: give it whole.
characters-counted
    You count the characters of a text to find its ids: is it `encode(text)[-len(text):]`? A tokenizer may
    make one id of several characters. One id is too much, the first: `encode(text)[1:]`.
first-id-lost
    The first id of each text is lost: two are cut off, and only one of them is `[BOS]`.
last-id-lost
    The last id of each text is lost. This `encode` puts something in front of a text, and nothing behind it.
no-role
    It is not said who speaks: the marker of the role comes before each text.
marker-where-roles-change
    The marker is missing where a turn has the same role as the turn before it. Each turn begins with its
    marker, whoever spoke before.
one-role-for-all
    Every turn has the marker of the user. Each turn says who speaks: `special[f"<|{role}|>"]`.
roles-by-place
    You take user and assistant in turns, whatever the roles are. Each turn says who speaks:
    `special[f"<|{role}|>"]`.
role-as-text
    The role is given to `encode`, as text, so it gets ordinary ids. They are the same as those of a text in
    which a user types it. The marker's own id stands in `special`.
no-end
    The end of the turns is missing: `special["<|end|>"]` comes after each text.
one-end-for-all
    There is one `<|end|>` for the whole chat. Each turn has its own.
last-end-missing
    The last turn has no `<|end|>`. It is finished as well: only the turn that begins is open.
end-as-text
    `<|end|>` is given to `encode`, as text, so it gets ordinary ids. The marker's own id stands in `special`.
no-reply
    The marker of the assistant is missing at the end. Without it the model may go on with any role: a next
    question, for example.
reply-ended
    Behind the last marker of the assistant stands `<|end|>`. So its turn is over before it begins: nothing
    comes behind the marker.
begin-before-the-reply
    There is a second `[BOS]` in front of the last marker. It belongs to the beginning of the whole row alone.
reply-of-the-user
    The row ends with the marker of the user. It is the assistant's turn that begins.
reply-as-text
    The last marker is given to `encode`, as text, so it gets ordinary ids. Its own id stands in `special`.
last-turn-alone
    Only the last turn is there. The model knows of the chat what stands in the row, and nothing else: put in
    all turns.
turns-reversed
    The turns come in reverse, so the answer stands before its question. Keep their order.
system-lost
    The turns of the system are left out. They are turns like the others.
empty-turns-lost
    A turn in which nothing is said is left out. It has its marker and its end all the same.
turns-joined
    Two turns of the same speaker, one behind the other, become one. Each turn has its own markers.
end-before-the-text
    `<|end|>` stands before the text. It comes behind it, where the turn ends.
role-behind
    The marker of the role stands behind the text. It comes before it.
all-as-text
    You write markers into a text and give it to `encode`, so they get ordinary ids, the same as those of a
    marker that a user types. Their own ids stand in `special`; only what was said goes to `encode`.
""")
