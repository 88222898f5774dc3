"""Accounts on several channels that are one person's, and the codes that make them so."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "linked",
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("whole", sa.String(32), nullable=False),
        sa.Column("direct", sa.String(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("linked_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "account", "user", name="pk_linked"),
    )
    op.create_index("ix_linked_whole", "linked", ["whole"])
    op.create_table(
        "link_codes",
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("user", sa.String(255), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("direct", sa.String(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("typed_by", sa.String(), server_default="", nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "account", "user", name="pk_link_codes"),
    )
    op.create_index("ix_link_codes_code_hash", "link_codes", ["code_hash"])


def downgrade() -> None:
    op.drop_table("link_codes")
    op.drop_table("linked")
