"""Chats that their platform gave another number."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moves",
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("account", sa.String(length=128), nullable=False),
        sa.Column("chat", sa.String(length=255), nullable=False),
        sa.Column("now", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("channel", "account", "chat", name=op.f("pk_moves")),
    )


def downgrade() -> None:
    op.drop_table("moves")
