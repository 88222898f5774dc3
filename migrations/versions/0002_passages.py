"""Documents, their passages, words and vectors."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scopes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=512), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scopes")),
        sa.UniqueConstraint("name", name=op.f("uq_scopes_name")),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_documents_scope_id_scopes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("scope_id", "key", name=op.f("uq_documents_scope_id_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_documents_scope_id_sha256", "documents", ["scope_id", "sha256"])
    op.create_index("ix_documents_scope_id_sender", "documents", ["scope_id", "sender"])
    op.create_table(
        "passages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("heading", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("hangul", sa.Double(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("sentences", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name=op.f("fk_passages_document_id_documents")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_passages_scope_id_scopes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passages")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_passages_document_id_position", "passages", ["document_id", "position"])
    op.create_index("ix_passages_scope_id", "passages", ["scope_id"])
    op.create_table(
        "removals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("passage_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removals")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "generations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("embedder", sa.String(length=255), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generations")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "vectors",
        sa.Column("passage_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["generation_id"], ["generations.id"], name=op.f("fk_vectors_generation_id_generations")),
        sa.ForeignKeyConstraint(["passage_id"], ["passages.id"], name=op.f("fk_vectors_passage_id_passages")),
        sa.PrimaryKeyConstraint("passage_id", "generation_id", name=op.f("pk_vectors")),
        sqlite_with_rowid=False,
    )
    # The terms come cut already, a space between two: each is one token, with every sign that `bot.text.words` may leave in it.
    op.execute(
        "CREATE VIRTUAL TABLE passage_words USING fts5(scope, title, heading, body, tokenize=\"ascii tokenchars '.+#-_''&@/%$'\")"
    )
    op.execute("CREATE VIRTUAL TABLE passage_words_vocabulary USING fts5vocab(passage_words, 'row')")


def downgrade() -> None:
    op.execute("DROP TABLE passage_words_vocabulary")
    op.execute("DROP TABLE passage_words")
    op.drop_table("vectors")
    op.drop_table("generations")
    op.drop_table("removals")
    op.drop_index("ix_passages_scope_id", "passages")
    op.drop_index("ix_passages_document_id_position", "passages")
    op.drop_table("passages")
    op.drop_index("ix_documents_scope_id_sender", "documents")
    op.drop_index("ix_documents_scope_id_sha256", "documents")
    op.drop_table("documents")
    op.drop_table("scopes")
