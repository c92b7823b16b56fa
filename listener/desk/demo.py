"""The demo's plan: an invented grocer and the three places where people speak of it."""

from datetime import datetime, timedelta

from listener.desk.plan import Plan, PlannedBrand, PlannedSource

BRAND = "Tarnby"
STAFF = ("Ana", "Ben")
BACK = timedelta(days=28, hours=1)
LIVE = timedelta(minutes=2)
PARTS = {
    "Larder Reviews": "reviews",
    "Towntalk": "feed",
    "The Barrow Courier": "news",
}


def plan(began: datetime) -> Plan:
    """Brand and sources of a demo that begins at this moment."""
    return Plan(
        brand=[
            PlannedBrand(
                name=BRAND,
                query='(Tarnby OR @tarnby OR domain:tarnby.example) NOT "Ruth Tarnby"',
                handles=["tarnby"],
            )
        ],
        source=[
            PlannedSource(
                name=name,
                connector="sample",
                every=timedelta(seconds=2),
                since=began - BACK,
                options={"began": began.isoformat(), "part": part},
            )
            for name, part in PARTS.items()
        ],
    )
