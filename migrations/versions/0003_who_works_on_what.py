"""Whose a message and a reply are while several bots use one home, and which parts of a reply went out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbox", sa.Column("owner", sa.String(length=32), nullable=False, server_default=""))
    op.add_column("outbox", sa.Column("owner", sa.String(length=32), nullable=False, server_default=""))
    op.add_column("outbox", sa.Column("parts", sa.String(), nullable=False, server_default=""))
    # What was deleted from the word index before stood in it until a merge.
    op.execute("INSERT INTO passage_words(passage_words) VALUES ('optimize')")


def downgrade() -> None:
    op.drop_column("outbox", "parts")
    op.drop_column("outbox", "owner")
    op.drop_column("inbox", "owner")
