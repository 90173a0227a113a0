"""Verifiable credentials and presentations of any type.

They follow VC Data Model 2.0 or 1.1.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from credentials.model.badge import Credential, Document
from credentials.model.values import V1_CONTEXT, CompactJws, Instant, Model, OneOrSeveral, Text, kind_of, refuse


class LanguageText(Model):
    """A text with its language and direction."""

    model_config = ConfigDict(extra="forbid")
    value: str = Field(alias="@value")
    language: str | None = Field(None, alias="@language")
    direction: Literal["ltr", "rtl"] | None = Field(None, alias="@direction")


_LocalText = Annotated[
    Text
    | Annotated[LanguageText, Tag("(object)")]
    | Annotated[
        list[Annotated[Text | Annotated[LanguageText, Tag("(object)")], Discriminator(kind_of)]], Tag("(array)")
    ],
    Discriminator(kind_of),
]


class Party(Model):
    """The issuer of a credential that is not an Open Badge."""

    id: str
    name: _LocalText | None = None
    description: _LocalText | None = None


class Subject(Model):
    """What a credential that is not an Open Badge says of somebody or something."""

    id: str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.model_fields_set and not self.model_extra:
            refuse("subject-empty", "expected the subject to say something, got an empty object")
        return self


def _some(subjects: list[Subject]) -> list[Subject]:
    return subjects or refuse("subject-empty", "expected a subject, got an empty array")


class Method(Model):
    """A status, a proof, evidence, terms or a service of any type."""

    id: str | None = None
    type: OneOrSeveral[str]


class NamedMethod(Method):
    """A status or a service of VC Data Model 1.1, which always has an address."""

    id: str


class DataSchema(Model):
    """A schema of any type that the credential follows."""

    id: str
    type: OneOrSeveral[str]


class _General(Credential):
    """A credential of any type."""

    id: str | None = None
    name: _LocalText | None = None
    description: _LocalText | None = None
    issuer: Annotated[Text | Annotated[Party, Tag("(object)")], Discriminator(kind_of)]
    credential_subject: Annotated[OneOrSeveral[Subject], AfterValidator(_some)]
    credential_schema: OneOrSeveral[DataSchema] | None = None
    terms_of_use: OneOrSeveral[Method] | None = None
    evidence: OneOrSeveral[Method] | None = None
    proof: OneOrSeveral[Method] | None = None


class VerifiableCredential(_General):
    """A credential of any type on VC Data Model 2.0.

    It includes the reserved extension points.
    """

    credential_status: OneOrSeveral[Method] | None = None
    refresh_service: OneOrSeveral[Method] | None = None
    confidence_method: OneOrSeveral[Method] | None = None
    render_method: OneOrSeveral[Method] | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class VerifiableCredential11(_General):
    """A credential of any type on VC Data Model 1.1."""

    first_context = V1_CONTEXT
    credential_status: OneOrSeveral[NamedMethod] | None = None
    refresh_service: OneOrSeveral[NamedMethod] | None = None
    issuance_date: Instant
    expiration_date: Instant | None = None


class _Presentation(Document):
    own_type: ClassVar = ["VerifiablePresentation"]
    id: str | None = None
    holder: Annotated[Text | Annotated[Party, Tag("(object)")], Discriminator(kind_of)] | None = None
    terms_of_use: OneOrSeveral[Method] | None = None
    proof: OneOrSeveral[Method] | None = None


class VerifiablePresentation(_Presentation):
    """A presentation on VC Data Model 2.0; its contents are checked separately."""

    verifiable_credential: OneOrSeveral[dict[str, Any]] | None = None


class VerifiablePresentation11(_Presentation):
    """A presentation on VC Data Model 1.1.

    A credential in it may also be a compact JWT.
    """

    first_context = V1_CONTEXT
    verifiable_credential: (
        OneOrSeveral[
            Annotated[
                Annotated[CompactJws, Tag("(text)")] | Annotated[dict[str, Any], Tag("(object)")],
                Discriminator(kind_of),
            ]
        ]
        | None
    ) = None
