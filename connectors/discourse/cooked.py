"""Takes from a post's HTML what its author wrote: no quotes, no previews, no picture sizes."""

import re

from emoji import emojize

# A quote or the preview of a link, innermost first: neither is the author's.
ASIDE = re.compile(
    r'<aside\b[^<>]*\bclass="(?:quote|onebox)[^<>]*>(?:(?!</?aside\b).)*</aside>', re.DOTALL
)
DEEPEST = 5  # quotes within quotes
CAPTION = re.compile(r'<div class="meta">(?:(?!</?div\b).)*</div>', re.DOTALL)
EMOJI = re.compile(r'<img\b(?=[^<>]*\bclass="emoji)[^<>]*\balt="([^"]*)"[^<>]*>')


def own_words(cooked: str) -> str:
    """The HTML without what is not the author's own, and with emoji as characters."""
    for _ in range(DEEPEST):
        cooked, found = ASIDE.subn("", cooked)
        if not found:
            break
    # The feeling is in the emoji, and their pictures are no attachments.
    return EMOJI.sub(lambda img: emojize(img[1], language="alias"), CAPTION.sub("", cooked))
