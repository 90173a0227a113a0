"""Contributions: what members do in a network, as posted and as counted."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.bodies import Body, Line, LongLine, Prose, Ref, WebUrl
from service.errors import InvalidError
from service.evidence import goals_met
from service.evidence.bodies import Derived, Judgement, Mentions, Place, References, Sha256, Someone, Submitted
from service.evidence.goals_met import GoalElsewhere
from service.evidence.vocabulary import ACCEPTED, GUIDELINES, ContributionType, License
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
    resource: LongLine | None = Field(
        None,
        description="what it is about, as the network names it; of adopted: what was taken up",
        examples=["unit-7"],
    )
    license: License | None = Field(
        None,
        description="of shared: under which licence, as an SPDX identifier or an address",
        examples=["CC-BY-4.0"],
    )
    goal: GoalElsewhere | None = Field(
        None,
        description=(
            "of goal_met: the goal in your system. Without it, or without a peer who confirms, the record is the member's"
            " own word (tier 0). Goals that members keep here need no such record: they post it themselves"
        ),
    )
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
        """The member, the peer and who confirms a goal; the session, and the files."""
        files = [artifact.blob for artifact in self.artifacts or ()]
        confirming = self.goal.confirmed_by if self.goal is not None else None
        return Mentions([self.member, self.peer, confirming], [self.session], files=files)

    def judge(self, references: References, actor: Someone | None) -> Judgement:
        """Check session, files and others, and find the member for whom it waits; anyone may say what somebody did.

        Refusals: "session-unknown", "blob-unknown"; "resource-missing" of what was adopted; a licence or a goal that does not
        belong there ("license-unneeded", "goal-unneeded"), a check-in after it ("check-in-after-goal"); the member and who did it
        with them, or confirms it, are one person ("peer-is-member", "goal-confirmed-by-member").
        """
        member, confirming = references.members.get(self.member), self.goal.confirmed_by if self.goal else None
        refusal = next(self._missing(references), None)
        places = ((self.member, "/member"), (self.peer, "/peer"), (confirming, "/goal/confirmed_by"))
        gap = references.gap(*places) if refusal is None else None
        if refusal is None and member is not None:
            refusal = self._oneself(references, member)
        return Judgement(member, gap=gap, refusal=refusal, most=self._most(member, actor))

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
            "license": self.license,
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

    def _oneself(self, references: References, member: Someone) -> InvalidError | None:
        """Return the refusal if the member is also who did it with them, or who confirms it."""
        said = "Expected another person than the member."
        peer = references.members.get(self.peer) if self.peer is not None else None
        if peer is not None and peer.is_person(member):
            return InvalidError("peer-is-member", said, "/peer")
        confirming = self.goal.confirmed_by if self.goal is not None else None
        peer = references.members.get(confirming) if confirming is not None else None
        if peer is not None and peer.is_person(member):
            return InvalidError("goal-confirmed-by-member", said, "/goal/confirmed_by")
        return None

    def _most(self, member: Someone | None, actor: Someone | None) -> int | None:
        """Return the highest tier that it can have: of a goal, whether there was a check-in, and a peer confirms."""
        stands = self.goal is not None and self.goal.is_confirmed(member, actor)
        return goals_met.UNCONFIRMED if self.type == "goal_met" and not stands else None

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
        if self.type == "adopted" and self.resource is None:
            yield InvalidError("resource-missing", "Expected the resource that was taken up.", "/resource")
        if self.license is not None and self.type != "shared":
            yield InvalidError("license-unneeded", "Expected a licence only of what was shared.", "/license")
        if self.goal is not None and self.type != "goal_met":
            yield InvalidError("goal-unneeded", "Expected a goal only with the type goal_met.", "/goal")
        if self.goal is not None and self.goal.checked_in_at > self.occurred_at:
            message = "Expected a check-in that was before the goal was met."
            yield InvalidError("check-in-after-goal", message, "/goal/checked_in_at")
