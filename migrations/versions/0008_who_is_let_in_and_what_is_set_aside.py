"""Who was let in by a code, the codes that wait, the reference of what was set aside, and how much a person asks for a day."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guests",
        sa.Column("person", sa.String(255), nullable=False),
        sa.Column("admitted_by", sa.String(255), nullable=False),
        sa.Column("admitted_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_guests"),
    )
    op.create_table(
        "pairings",
        sa.Column("person", sa.String(255), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_pairings"),
    )
    op.create_index("ix_pairings_code_hash", "pairings", ["code_hash"])
    op.add_column("inbox", sa.Column("reference", sa.String(16), nullable=False, server_default=""))
    op.create_index("ix_inbox_sender_received_at", "inbox", ["channel", "account", "sender", "received_at"])


def downgrade() -> None:
    op.drop_index("ix_inbox_sender_received_at", "inbox")
    op.drop_column("inbox", "reference")
    op.drop_index("ix_pairings_code_hash", "pairings")
    op.drop_table("pairings")
    op.drop_table("guests")
