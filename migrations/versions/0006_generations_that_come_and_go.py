"""When a generation was live, how fast it is made, why a wish failed; and an index of vectors by generation, to count and delete by."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("live_at", sa.DateTime(), nullable=True))
    op.add_column("generations", sa.Column("rate", sa.Double(), nullable=False, server_default="0"))
    op.execute("UPDATE generations SET live_at = created_at WHERE state IN ('live', 'retired')")
    op.add_column("assignments", sa.Column("failure", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_vectors_generation_id", "vectors", ["generation_id"])


def downgrade() -> None:
    op.drop_index("ix_vectors_generation_id", "vectors")
    op.drop_column("assignments", "failure")
    op.drop_column("generations", "rate")
    op.drop_column("generations", "live_at")
    op.execute("DELETE FROM vectors WHERE generation_id IN (SELECT id FROM generations WHERE state = 'dropped')")
    op.execute("DELETE FROM generations WHERE state = 'dropped'")
