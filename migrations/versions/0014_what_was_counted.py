"""What of a message is in the counts of its person: it counts once, however often it is begun."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbox", sa.Column("counted", sa.String(), server_default="", nullable=False))
    op.execute("UPDATE inbox SET counted = 'message' WHERE attempts > 0 AND state IN ('received', 'working')")


def downgrade() -> None:
    op.drop_column("inbox", "counted")
