"""Swaps of models with their report cards, what admins said yes to, and the admins whom admins added."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "swaps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slot", sa.String(64), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("model", sa.String(255), nullable=False, server_default=""),
        sa.Column("before", sa.String(255), nullable=False, server_default=""),
        sa.Column("asked_by", sa.String(255), nullable=False),
        sa.Column("origin", sa.String(), nullable=False, server_default=""),
        sa.Column("owner", sa.String(32), nullable=False, server_default=""),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(), nullable=False, server_default=""),
        sa.Column("card", sa.String(), nullable=False, server_default=""),
        sa.Column("said", sa.String(), nullable=False, server_default=""),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_swaps"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_swaps_slot_id", "swaps", ["slot", "id"])
    op.create_index("ix_swaps_state", "swaps", ["state"])
    op.create_table(
        "consents",
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("said_by", sa.String(255), nullable=False),
        sa.Column("said_at", sa.DateTime(), nullable=False),
        sa.Column("files", sa.String(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("subject", name="pk_consents"),
    )
    op.create_table(
        "admins",
        sa.Column("person", sa.String(255), nullable=False),
        sa.Column("added_by", sa.String(255), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_admins"),
    )


def downgrade() -> None:
    op.drop_table("admins")
    op.drop_table("consents")
    op.drop_index("ix_swaps_state", "swaps")
    op.drop_index("ix_swaps_slot_id", "swaps")
    op.drop_table("swaps")
