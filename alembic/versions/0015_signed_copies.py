"""every text that was signed of a credential, and when rows were lost."""

import base64
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from uuid import uuid4

import rfc8785
import sqlalchemy as sa

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
SOME = 500
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def upgrade() -> None:
    op.create_table(
        "signed_copies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.String(), nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("jwt_kid", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("proof_value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_signed_copies_credential_id")),
        sa.ForeignKeyConstraint(["kid"], ["keys.kid"], name=op.f("fk_signed_copies_kid")),
        sa.ForeignKeyConstraint(["jwt_kid"], ["keys.kid"], name=op.f("fk_signed_copies_jwt_kid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_copies")),
    )
    op.create_index(op.f("ix_signed_copies_credential_id"), "signed_copies", ["credential_id"])
    op.create_table(
        "restores",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("backup_at", MOMENT, nullable=False),
        sa.Column("restored_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restores")),
    )
    _note_present_texts()


def downgrade() -> None:
    op.drop_table("restores")
    op.drop_table("signed_copies")


def _note_present_texts() -> None:
    """Note the text of each credential, some at a time: until now each was signed once."""
    connection = op.get_bind()
    credentials = sa.table(
        "credentials",
        sa.column("id", sa.String()),
        sa.column("issued_at", MOMENT),
        sa.column("signed", sa.Text()),
        sa.column("jwt", sa.Text()),
    )
    columns = ("credential_id", "kid", "jwt_kid", "sha256", "proof_value")
    copies = sa.table(
        "signed_copies",
        sa.column("id", sa.Uuid()),
        sa.column("signed_at", MOMENT),
        *(sa.column(name, sa.String()) for name in columns),
    )
    there = sa.select(credentials).order_by(credentials.c.id).limit(SOME)
    last = None
    while True:
        rows = connection.execute(there if last is None else there.where(credentials.c.id > last)).all()
        if not rows:
            return
        last = rows[-1].id
        connection.execute(copies.insert(), [_copy(row) for row in rows])


def _copy(row: Any) -> dict[str, Any]:
    document = json.loads(row.signed)
    [proof] = document.pop("proof")
    header = json.loads(base64.urlsafe_b64decode(row.jwt.partition(".")[0] + "=="))
    return {
        "id": uuid4(),
        "credential_id": row.id,
        "signed_at": row.issued_at,
        "kid": _thumbprint(proof["verificationMethod"].rpartition("#")[2]),
        "jwt_kid": header["kid"].rpartition("/")[2],
        "sha256": sha256(rfc8785.dumps(document)).hexdigest(),
        "proof_value": proof["proofValue"],
    }


def _thumbprint(multikey: str) -> str:
    """Return the RFC 7638 thumbprint of an Ed25519 key, which is the only kind that has signed proofs."""
    number = 0
    for letter in multikey[1:]:
        number = number * 58 + BASE58.index(letter)
    material = number.to_bytes(34)[2:]
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(material)}
    return _base64url(sha256(rfc8785.dumps(jwk)).digest())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
