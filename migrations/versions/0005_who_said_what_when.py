"""Who said a message, when, in which thread and as a reply to what: of messages that are kept from before, too."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KNOWN = """
UPDATE documents SET
  said_at = i.sent_at, thread = i.thread, author = coalesce(json_extract(i.message, '$.sender_name'), ''),
  answers = coalesce('message:' || json_extract(i.message, '$.reply_to.id'), '')
FROM inbox i, scopes s
WHERE documents.kind = 'message' AND s.id = documents.scope_id AND documents.key = 'message:' || i.message_id
  AND s.name IN ('dm:' || i.channel || '/' || i.account || '/' || i.chat, 'group:' || i.channel || '/' || i.account || '/' || i.chat)
"""


def upgrade() -> None:
    op.add_column("documents", sa.Column("author", sa.String(length=255), server_default="", nullable=False))
    op.add_column("documents", sa.Column("thread", sa.String(length=255), server_default="", nullable=False))
    op.add_column("documents", sa.Column("answers", sa.String(), server_default="", nullable=False))
    op.add_column("documents", sa.Column("said_at", sa.DateTime(), nullable=True))
    said = sa.text("said_at IS NOT NULL")
    op.create_index("ix_documents_said_at", "documents", ["scope_id", "thread", "said_at"], sqlite_where=said)
    op.create_index("ix_documents_answers", "documents", ["scope_id", "answers"], sqlite_where=said)
    op.create_index("ix_documents_author", "documents", ["scope_id", "author"], sqlite_where=said)
    op.execute(_KNOWN)


def downgrade() -> None:
    for name in ("author", "answers", "said_at"):
        op.drop_index(f"ix_documents_{name}", "documents")
    for name in ("said_at", "answers", "thread", "author"):
        op.drop_column("documents", name)
