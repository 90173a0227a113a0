"""Contributions: what members do in a network, as posted and as counted."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.bodies import Body, Line, LongLine, Prose, Ref, WebUrl
from service.errors import InvalidError
from service.evidence.bodies import Derived, Judgement, Mentions, Place, References, Sha256, Someone, Submitted
from service.evidence.vocabulary import ACCEPTED, GUIDELINES, ContributionType
from service.tables import Contribution, ContributionArtifact, ContributionTag

MINUTES_OF_A_YEAR = 366 * 24 * 60
MediaType = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$", max_length=100)
]


class Artifact(Body):
    """A piece of work: at an address, or a file of the network."""

    url: WebUrl | None = Field(None, examples=["https://river.example.org/drafts/17"])
    blob: Sha256 | None = Field(None, description="`sha256` of a file posted to /v1/blobs")
    sha256: Sha256 | None = Field(None, description="SHA-256 of what is at the address")
    media_type: MediaType | None = Field(None, examples=["application/pdf"])

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.url is None) == (self.blob is None):
            raise PydanticCustomError("artifact-place", "Expected either `url` or `blob`")
        if self.blob is not None and self.sha256 not in {None, self.blob}:
            raise PydanticCustomError("artifact-digest", "Expected the `sha256` of the file that `blob` names, or none")
        return self


class ContributionIn(Submitted):
    """What a member did."""

    member: Ref = Field(description="whose contribution it is; may be posted later", examples=["m11"])
    type: ContributionType
    title: Line | None = Field(None, examples=["Comments on a draft"])
    description: Prose | None = None
    url: WebUrl | None = None
    minutes: int | None = Field(None, ge=0, le=MINUTES_OF_A_YEAR, description="how long it took")
    artifacts: list[Artifact] | None = Field(None, max_length=20)
    session: Ref | None = Field(None, description="the session in which it was done", examples=["2026-03-01"])
    peer: Ref | None = Field(
        None, description="the member with or for whom it was done; may be posted later", examples=["m12"]
    )
    resource: LongLine | None = Field(None, description="what it is about, as the network names it")
    tags: list[Annotated[Line, StringConstraints(max_length=100)]] | None = Field(
        None, max_length=50, examples=[["peer-writing"]]
    )
    guidelines_version: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="of an acceptance, and of nothing else: which version of the guidelines the member accepts. Rules "
        "find it by the tag and the resource `guidelines/` with the number",
    )

    @model_validator(mode="after")
    def _acceptance(self) -> Self:
        if (self.type == ACCEPTED) != (self.guidelines_version is not None):
            raise PydanticCustomError(
                "acceptance-version", "Expected `guidelines_version` with the type accepted, and with no other"
            )
        if self.type == ACCEPTED and self.resource is not None:
            raise PydanticCustomError("acceptance-resource", "Expected no `resource`: it is the guidelines")
        return self

    @property
    def mentions(self) -> Mentions:
        """The member and the peer, the session, and the files."""
        files = [artifact.blob for artifact in self.artifacts or ()]
        return Mentions([self.member, self.peer], [self.session], files=files)

    def judge(self, references: References, actor: Someone | None) -> Judgement:
        """Check session, files and peer, and find the member for whom it waits.

        Refusals: "session-unknown", "blob-unknown"; member and peer are one person ("peer-is-member").
        """
        _ = actor  # anyone may say what somebody did
        member = references.members.get(self.member)
        refusal = next(self._missing(references), None)
        gap = references.gap((self.member, "/member"), (self.peer, "/peer")) if refusal is None else None
        peer = references.members.get(self.peer) if self.peer is not None else None
        if refusal is None and peer is not None and member is not None and peer.is_person(member):
            refusal = InvalidError("peer-is-member", "Expected another person than the member.", "/peer")
        return Judgement(member, gap=gap, refusal=refusal)

    def derive(self, references: References, judgement: Judgement, place: Place) -> Derived:
        """Return the contribution, its tags and the digests of its artefacts."""
        if judgement.member is None:
            return []
        row = place.columns(self.occurred_at) | {
            "member_id": judgement.member.id,
            "type": self.type,
            "minutes": self.minutes,
            "session_id": references.sessions[self.session] if self.session is not None else None,
            "peer_id": references.members[self.peer].id if self.peer is not None else None,
            "resource": self.accepts or self.resource,
        }
        rows: Derived = [(Contribution, row)]
        tags = dict.fromkeys([*(self.tags or ()), *([self.accepts] if self.accepts is not None else ())])
        rows += [(ContributionTag, {"record_id": place.record_id, "tag": tag}) for tag in tags]
        for sha256 in sorted(self.digests):
            artifact = {"record_id": place.record_id, "sha256": sha256, "network_id": place.network_id}
            rows.append((ContributionArtifact, artifact))
        return rows

    @property
    def accepts(self) -> str | None:
        """What an acceptance is about: the guidelines with the number of the version; None if it is none."""
        return f"{GUIDELINES}/{self.guidelines_version}" if self.guidelines_version is not None else None

    @property
    def digests(self) -> set[str]:
        """The digests of its artefacts, as far as they are known."""
        named = (artifact.blob or artifact.sha256 for artifact in self.artifacts or ())
        return {sha256 for sha256 in named if sha256 is not None}

    def _missing(self, references: References) -> Iterator[InvalidError]:
        if self.session is not None and self.session not in references.sessions:
            yield InvalidError(
                "session-unknown",
                "Expected the ref of a session of this network; post the session first, or correct it.",
                "/session",
            )
        for place, artifact in enumerate(self.artifacts or ()):
            if artifact.blob is not None and artifact.blob not in references.files:
                at = f"/artifacts/{place}/blob"
                yield InvalidError(
                    "blob-unknown",
                    "Expected the sha256 of a file of this network; post the file first, or correct it.",
                    at,
                )
