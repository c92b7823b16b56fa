"""An index of the words of mentions, and the list of those that are not in it yet.

The database itself notices every change of a mention's words: they leave the index in the same
transaction, whoever changes them, and the mention waits to be entered again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WORDS = ("title", "text", "author_name", "author_handle")


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "unindexed",
        sa.Column("mention_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mention_id"),
    )
    op.execute("INSERT INTO unindexed (mention_id, turn) SELECT id, 1 FROM mentions")
    if op.get_bind().dialect.name == "sqlite":
        follow_on_sqlite()
    else:
        follow_on_postgresql()


def follow_on_sqlite() -> None:
    """Words are cut by us: to the index, whatever is not a space belongs to a word."""
    op.execute("CREATE VIRTUAL TABLE mention_index USING fts5(words, tokenize = 'ascii')")
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in WORDS)
    wait = (
        "INSERT INTO unindexed (mention_id, turn) VALUES (NEW.id, 1) "
        "ON CONFLICT (mention_id) DO UPDATE SET turn = turn + 1"
    )
    forget = "DELETE FROM mention_index WHERE rowid = OLD.id"
    for name, when, act in (
        ("comes", "INSERT ON mentions", wait),
        (
            "says",
            f"UPDATE OF {', '.join(WORDS)} ON mentions WHEN {changed}",
            f"{wait}; {forget}",
        ),
        ("joins", "UPDATE OF case_id ON mentions WHEN OLD.case_id IS NOT NEW.case_id", wait),
        (
            "leaves",
            "DELETE ON mentions",
            f"DELETE FROM unindexed WHERE mention_id = OLD.id; {forget}",
        ),
    ):
        op.execute(f"CREATE TRIGGER mention_{name} AFTER {when} BEGIN {act}; END")


def follow_on_postgresql() -> None:
    """New mentions come many at a time, so one statement enters them all."""
    op.create_table(
        "mention_index",
        sa.Column("mention_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("words", sa.dialects.postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("mention_id"),
    )
    op.create_index("ix_mention_index_words", "mention_index", ["words"], postgresql_using="gin")
    # The waiting row is touched first, and stays locked: so whoever enters old words at this
    # moment either leaves it alone or is done before the words are taken out.
    wait = (
        "INSERT INTO unindexed (mention_id, turn) VALUES (NEW.id, 1) "
        "ON CONFLICT (mention_id) DO UPDATE SET turn = unindexed.turn + 1"
    )
    for name, act in (
        (
            "comes",
            (
                "INSERT INTO unindexed (mention_id, turn) SELECT id, 1 FROM arrived "
                "ON CONFLICT (mention_id) DO UPDATE SET turn = unindexed.turn + 1; RETURN NULL"
            ),
        ),
        (
            "says",
            f"{wait}; DELETE FROM mention_index WHERE mention_id = OLD.id; RETURN NULL",
        ),
        ("joins", f"{wait}; RETURN NULL"),
        (
            "leaves",
            (
                "DELETE FROM unindexed WHERE mention_id = OLD.id; "
                "DELETE FROM mention_index WHERE mention_id = OLD.id; RETURN NULL"
            ),
        ),
    ):
        op.execute(
            f"CREATE FUNCTION mention_{name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {act}; END $$"
        )
    changed = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in WORDS)
    for name, when in (
        ("comes", "INSERT ON mentions REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT"),
        ("says", f"UPDATE OF {', '.join(WORDS)} ON mentions FOR EACH ROW WHEN ({changed})"),
        (
            "joins",
            (
                "UPDATE OF case_id ON mentions FOR EACH ROW "
                "WHEN (OLD.case_id IS DISTINCT FROM NEW.case_id)"
            ),
        ),
        ("leaves", "DELETE ON mentions FOR EACH ROW"),
    ):
        op.execute(f"CREATE TRIGGER mention_{name} AFTER {when} EXECUTE FUNCTION mention_{name}()")


def downgrade() -> None:
    """Go back to the one before."""
    names = ("comes", "says", "joins", "leaves")
    if op.get_bind().dialect.name == "sqlite":
        for name in names:
            op.execute(f"DROP TRIGGER mention_{name}")
    else:
        for name in names:
            op.execute(f"DROP TRIGGER mention_{name} ON mentions")
            op.execute(f"DROP FUNCTION mention_{name}()")
    op.drop_table("mention_index")
    op.drop_table("unindexed")
