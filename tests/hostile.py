"""Posts that mean harm: every one of them must only ever be text. Our own writing."""

from connectors.kit.contract import Author, Post
from tests.given import NUMBERS, heard, judged
from tests.world import World

RIGHT_TO_LEFT = "\u202e"

HOSTILE = [
    "The fish <script>alert(1)</script> was cold and I am angry about it.",
    "Bad fish <img src=x onerror=alert(2)> and nobody answered my three letters.",
    '"><svg/onload=alert(3)> the fish came without its sauce, twice in a week.',
    "Rotten fish javascript:alert(4) and a waiter who laughed at my mother.",
    "Late fish <math><mtext><style><!--</style><img src=1 onerror=alert(5)> without regret.",
    "Your fish {{ 7 * 7 }} {% include 'base.html' %} ${7*7} #{7*7} tasted of soap.",
    f"Fish {RIGHT_TO_LEFT}gnorw saw redro ym{RIGHT_TO_LEFT} and the bill was wrong as well.",
    "Fish \u2066\u2067\u2068 isolates \u2069 and zero\u200bwidth\u200djoiners\ufeff spoiled my evening.",
    "Fish " + "W" * 3000 + " and one giant word that must not push the page apart.",
    "Fish " + "Z̸̡̛" * 200 + " letters that climb over their neighbours, and cold chips.",
    "<!channel> <@U012AB> <https://evil.example|click here> the fish was stale, *really* `stale`.",
    "Fish </textarea></title></style></script><iframe src=//evil.example></iframe> was grey.",
    "Fish <a href=\"javascript:alert(6)\">refund</a> never came, five weeks and counting.",
    "Fish \x00 with \x08 control \x1b[31m signs, and a hair in the batter.",
    "Fish 👩‍👩‍👧‍👦" * 60 + " the whole family was ill for days.",
]  # fmt: skip
NAMES = [
    "<b>Ada</b>",
    "\"><script>alert('n')</script>",
    f"{RIGHT_TO_LEFT}adA",
    "A" * 400,
    "{{ person.password }}",
]
ADDRESSES = [
    "javascript:alert(7)",
    "data:text/html,<script>alert(8)</script>",
    "https://a.example/?\"'><",
]


async def hostile(world: World) -> None:
    """Each of them opens a case, or joins one."""
    posts = [
        Post(
            id=f"h{next(NUMBERS):05}",
            url=ADDRESSES[number % len(ADDRESSES)],
            text=text.replace("\x00", ""),
            title=HOSTILE[-number][:120].replace("\x00", "") if number % 3 == 0 else None,
            author=Author(
                id=f"a{number}",
                name=NAMES[number % len(NAMES)],
                handle=NAMES[-number % len(NAMES)][:80],
            ),
            published=world.now,
        )
        for number, text in enumerate(HOSTILE)
    ]
    await heard(world, *posts)
    await judged(world)
