"""Groups whose past is read in, and what of it is not to be read again."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pasts",
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("chat", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), server_default="", nullable=False),
        sa.Column("of_workspace", sa.Boolean(), nullable=False),
        sa.Column("before", sa.String(), server_default="", nullable=False),
        sa.Column("until", sa.DateTime(), nullable=True),
        sa.Column("reached", sa.DateTime(), nullable=True),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("ordered_by", sa.String(255), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("ordered_at", sa.DateTime(), nullable=False),
        sa.Column("why", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("channel", "account", "chat", name="pk_pasts"),
    )
    op.create_table(
        "unread_pasts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("chat", sa.String(255), nullable=False),
        sa.Column("sender", sa.String(255), nullable=False),
        sa.Column("message", sa.String(255), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unread_pasts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_unread_pasts_channel_account", "unread_pasts", ["channel", "account"])


def downgrade() -> None:
    op.drop_table("unread_pasts")
    op.drop_table("pasts")
