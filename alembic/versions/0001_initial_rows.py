"""initial rows."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:

    op.create_table(
        "networks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("image_sha256", sa.String(length=64), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sandbox", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('formal', 'informal')", name=op.f("ck_networks_kind")),
        sa.CheckConstraint("state IN ('draft', 'active', 'closed')", name=op.f("ck_networks_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_networks")),
        sa.UniqueConstraint("slug", name=op.f("uq_networks_slug")),
    )
    op.create_table(
        "persons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
    )
    op.create_table(
        "service_facts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_service_facts")),
    )
    op.create_table(
        "achievements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_achievements_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_achievements")),
        sa.UniqueConstraint("network_id", "ref", name=op.f("uq_achievements_network_id_ref")),
    )
    op.create_table(
        "blobs",
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_blobs_network_id")),
        sa.PrimaryKeyConstraint("network_id", "sha256", name=op.f("pk_blobs")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("about", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_events_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("network_id", "position", name=op.f("uq_events_network_id_position")),
    )
    op.create_table(
        "identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('email', 'did', 'account', 'orcid')", name=op.f("ck_identities_kind")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_identities_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("person_id", "kind", "value", name=op.f("uq_identities_person_id_kind_value")),
    )
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identities_kind_value"), ["kind", "value"], unique=False)

    op.create_table(
        "keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("public_jwk", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("custody_uri", sa.String(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compromised_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("algorithm IN ('Ed25519', 'P-256', 'RSA')", name=op.f("ck_keys_algorithm")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_keys_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("kid", name=op.f("uq_keys_kid")),
    )
    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_keys_network_id"), ["network_id"], unique=False)

    op.create_table(
        "members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("organization", sa.String(length=200), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["merged_into"], ["members.id"], name=op.f("fk_members_merged_into")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_members_network_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_members_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("network_id", "ref", name=op.f("uq_members_network_id_ref")),
    )
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_members_person_id"), ["person_id"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("series", sa.String(length=200), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mode", sa.String(length=32), nullable=True),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("attendance_count", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_sessions_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("network_id", "ref", name=op.f("uq_sessions_network_id_ref")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_network_id_series"), ["network_id", "series"], unique=False)

    op.create_table(
        "status_lists",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("signed", sa.Text(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('revocation', 'suspension')", name=op.f("ck_status_lists_purpose")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_status_lists_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_lists")),
    )
    with op.batch_alter_table("status_lists", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_status_lists_network_id_purpose"), ["network_id", "purpose"], unique=False)

    op.create_table(
        "achievement_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("achievement_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("award", sa.String(length=16), nullable=False),
        sa.Column("definition", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("definition_sha256", sa.String(length=64), nullable=True),
        sa.Column("image_sha256", sa.String(length=64), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("award IN ('automatic', 'reviewed')", name=op.f("ck_achievement_versions_award")),
        sa.ForeignKeyConstraint(
            ["achievement_id"], ["achievements.id"], name=op.f("fk_achievement_versions_achievement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_achievement_versions")),
        sa.UniqueConstraint("achievement_id", "version", name=op.f("uq_achievement_versions_achievement_id_version")),
    )
    op.create_table(
        "roles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_roles_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
    )
    with op.batch_alter_table("roles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_roles_member_id"), ["member_id"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_tokens_member_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_tokens_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
    )
    op.create_table(
        "unsettled_members",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_unsettled_members_member_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_unsettled_members_network_id")),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_unsettled_members")),
    )
    with op.batch_alter_table("unsettled_members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unsettled_members_network_id"), ["network_id"], unique=False)

    op.create_table(
        "awards",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_version_id", sa.Uuid(), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("awarded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("actor_member_id", sa.Uuid(), nullable=True),
        sa.Column("receipt_digest", sa.String(length=64), nullable=True),
        sa.Column("renews", sa.Uuid(), nullable=True),
        sa.CheckConstraint("basis IN ('rule', 'approval', 'override', 'recorded')", name=op.f("ck_awards_basis")),
        sa.CheckConstraint(
            "state IN ('pending', 'awarded', 'suspended', 'revoked', 'expired')", name=op.f("ck_awards_state")
        ),
        sa.ForeignKeyConstraint(["achievement_id"], ["achievements.id"], name=op.f("fk_awards_achievement_id")),
        sa.ForeignKeyConstraint(
            ["achievement_version_id"], ["achievement_versions.id"], name=op.f("fk_awards_achievement_version_id")
        ),
        sa.ForeignKeyConstraint(["actor_member_id"], ["members.id"], name=op.f("fk_awards_actor_member_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_awards_member_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_awards_network_id")),
        sa.ForeignKeyConstraint(["renews"], ["awards.id"], name=op.f("fk_awards_renews")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_awards_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awards")),
    )
    with op.batch_alter_table("awards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_awards_member_id_network_id"), ["member_id", "network_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_awards_network_id_awarded_at"), ["network_id", "awarded_at"], unique=False)
        batch_op.create_index(
            "uq_awards_live",
            ["member_id", "achievement_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('pending', 'awarded', 'suspended')"),
            postgresql_where=sa.text("state IN ('pending', 'awarded', 'suspended')"),
        )

    op.create_table(
        "enrolments",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_version_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["achievement_id"], ["achievements.id"], name=op.f("fk_enrolments_achievement_id")),
        sa.ForeignKeyConstraint(
            ["achievement_version_id"], ["achievement_versions.id"], name=op.f("fk_enrolments_achievement_version_id")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_enrolments_member_id")),
        sa.PrimaryKeyConstraint("member_id", "achievement_id", name=op.f("pk_enrolments")),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("next_line", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_imports_network_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_imports_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_table(
        "records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=True),
        sa.Column("source_system", sa.String(length=200), nullable=True),
        sa.Column("source_id", sa.String(length=400), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("actor_member_id", sa.Uuid(), nullable=True),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=True),
        sa.Column("tier", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("held_for", sa.String(length=200), nullable=True),
        sa.Column("voids", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('contribution', 'evaluation', 'void')", name=op.f("ck_records_kind")),
        sa.CheckConstraint("status IN ('held', 'accepted', 'quarantined')", name=op.f("ck_records_status")),
        sa.ForeignKeyConstraint(["actor_member_id"], ["members.id"], name=op.f("fk_records_actor_member_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_records_network_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_records_token_id")),
        sa.ForeignKeyConstraint(["voids"], ["records.id"], name=op.f("fk_records_voids")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
        sa.UniqueConstraint("network_id", "kind", "ref", name=op.f("uq_records_network_id_kind_ref")),
        sa.UniqueConstraint(
            "network_id",
            "kind",
            "source_system",
            "source_id",
            name=op.f("uq_records_network_id_kind_source_system_source_id"),
        ),
        sa.UniqueConstraint("network_id", "position", name=op.f("uq_records_network_id_position")),
    )
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_records_network_id_held_for"), ["network_id", "held_for"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_records_network_id_received_at"), ["network_id", "received_at"], unique=False
        )
        batch_op.create_index("ix_records_voids", ["voids"], unique=True)

    op.create_table(
        "award_evidence",
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name=op.f("fk_award_evidence_award_id")),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_award_evidence_record_id")),
        sa.PrimaryKeyConstraint("award_id", "record_id", name=op.f("pk_award_evidence")),
    )
    with op.batch_alter_table("award_evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_award_evidence_record_id"), ["record_id"], unique=False)

    op.create_table(
        "contributions",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("local_week", sa.String(length=8), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("peer_id", sa.Uuid(), nullable=True),
        sa.Column("resource", sa.String(length=400), nullable=True),
        sa.Column("tier", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_contributions_member_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_contributions_network_id")),
        sa.ForeignKeyConstraint(["peer_id"], ["members.id"], name=op.f("fk_contributions_peer_id")),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_contributions_record_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_contributions_session_id")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_contributions")),
    )
    with op.batch_alter_table("contributions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contributions_member_id_occurred_at"), ["member_id", "occurred_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_contributions_network_id_member_id_type_occurred_at"),
            ["network_id", "member_id", "type", "occurred_at"],
            unique=False,
        )

    op.create_table(
        "credentials",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("status_list_id", sa.Uuid(), nullable=False),
        sa.Column("status_index", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("jwt", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revocation_reason", sa.Text(), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("superseded_by", sa.String(length=32), nullable=True),
        sa.CheckConstraint("visibility IN ('public', 'unlisted', 'private')", name=op.f("ck_credentials_visibility")),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name=op.f("fk_credentials_award_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_credentials_network_id")),
        sa.ForeignKeyConstraint(["revoked_by"], ["tokens.id"], name=op.f("fk_credentials_revoked_by")),
        sa.ForeignKeyConstraint(["status_list_id"], ["status_lists.id"], name=op.f("fk_credentials_status_list_id")),
        sa.ForeignKeyConstraint(["superseded_by"], ["credentials.id"], name=op.f("fk_credentials_superseded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint("status_list_id", "status_index", name=op.f("uq_credentials_status_list_id_status_index")),
    )
    with op.batch_alter_table("credentials", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credentials_award_id"), ["award_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_credentials_network_id_issued_at"), ["network_id", "issued_at"], unique=False
        )
        batch_op.create_index("ix_credentials_revoked", ["status_list_id", "revoked_at"], unique=False)

    op.create_table(
        "evaluations",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("about_kind", sa.String(length=16), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("evaluator_id", sa.Uuid(), nullable=True),
        sa.Column("instrument", sa.String(length=200), nullable=True),
        sa.Column("instrument_version", sa.String(length=64), nullable=True),
        sa.Column("part", sa.String(length=100), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("local_week", sa.String(length=8), nullable=False),
        sa.Column("scaled", sa.Double(), nullable=True),
        sa.Column("tier", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "about_kind IN ('member', 'contribution', 'session', 'network', 'achievement')",
            name=op.f("ck_evaluations_about_kind"),
        ),
        sa.CheckConstraint(
            "kind IN ('rubric', 'score', 'survey', 'endorsement', 'reflection')", name=op.f("ck_evaluations_kind")
        ),
        sa.ForeignKeyConstraint(["evaluator_id"], ["members.id"], name=op.f("fk_evaluations_evaluator_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_evaluations_member_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_evaluations_network_id")),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_evaluations_record_id")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_evaluations")),
    )
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evaluations_about_id"), ["about_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_evaluations_network_id_member_id_kind_instrument"),
            ["network_id", "member_id", "kind", "instrument"],
            unique=False,
        )

    op.create_table(
        "idempotency",
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_idempotency_import_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_idempotency_token_id")),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "import_answers",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("first_line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_import_answers_import_id")),
        sa.PrimaryKeyConstraint("import_id", "first_line", name=op.f("pk_import_answers")),
    )
    op.create_table(
        "record_bodies",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_record_bodies_record_id")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_record_bodies")),
    )
    op.create_table(
        "contribution_tags",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["contributions.record_id"], name=op.f("fk_contribution_tags_record_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", "tag", name=op.f("pk_contribution_tags")),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'sent', 'failed')", name=op.f("ck_messages_state")),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_messages_credential_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_messages_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_messages_state_due_at"), ["state", "due_at"], unique=False)

    op.create_table(
        "ratings",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("criterion", sa.String(length=200), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["evaluations.record_id"], name=op.f("fk_ratings_record_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("record_id", "criterion", name=op.f("pk_ratings")),
    )


def downgrade() -> None:

    op.drop_table("ratings")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_messages_state_due_at"))

    op.drop_table("messages")
    op.drop_table("contribution_tags")
    op.drop_table("record_bodies")
    op.drop_table("import_answers")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_expires_at"))

    op.drop_table("idempotency")
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evaluations_network_id_member_id_kind_instrument"))
        batch_op.drop_index(batch_op.f("ix_evaluations_about_id"))

    op.drop_table("evaluations")
    with op.batch_alter_table("credentials", schema=None) as batch_op:
        batch_op.drop_index("ix_credentials_revoked")
        batch_op.drop_index(batch_op.f("ix_credentials_network_id_issued_at"))
        batch_op.drop_index(batch_op.f("ix_credentials_award_id"))

    op.drop_table("credentials")
    with op.batch_alter_table("contributions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contributions_network_id_member_id_type_occurred_at"))
        batch_op.drop_index(batch_op.f("ix_contributions_member_id_occurred_at"))

    op.drop_table("contributions")
    with op.batch_alter_table("award_evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_award_evidence_record_id"))

    op.drop_table("award_evidence")
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.drop_index("ix_records_voids")
        batch_op.drop_index(batch_op.f("ix_records_network_id_received_at"))
        batch_op.drop_index(batch_op.f("ix_records_network_id_held_for"))

    op.drop_table("records")
    op.drop_table("imports")
    op.drop_table("enrolments")
    with op.batch_alter_table("awards", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_awards_live",
            sqlite_where=sa.text("state IN ('pending', 'awarded', 'suspended')"),
            postgresql_where=sa.text("state IN ('pending', 'awarded', 'suspended')"),
        )
        batch_op.drop_index(batch_op.f("ix_awards_network_id_awarded_at"))
        batch_op.drop_index(batch_op.f("ix_awards_member_id_network_id"))

    op.drop_table("awards")
    with op.batch_alter_table("unsettled_members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unsettled_members_network_id"))

    op.drop_table("unsettled_members")
    op.drop_table("tokens")
    with op.batch_alter_table("roles", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_roles_member_id"))

    op.drop_table("roles")
    op.drop_table("achievement_versions")
    with op.batch_alter_table("status_lists", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_status_lists_network_id_purpose"))

    op.drop_table("status_lists")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_network_id_series"))

    op.drop_table("sessions")
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_members_person_id"))

    op.drop_table("members")
    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_keys_network_id"))

    op.drop_table("keys")
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identities_kind_value"))

    op.drop_table("identities")
    op.drop_table("events")
    op.drop_table("blobs")
    op.drop_table("achievements")
    op.drop_table("service_facts")
    op.drop_table("persons")
    op.drop_table("networks")
