"""Profiles, identifiers and addresses."""

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import ConfigDict, model_validator

from credentials.model.values import (
    Classified,
    CompactJws,
    Day,
    IdentifierType,
    Image,
    Model,
    Number,
    Several,
    _check_image,
)

if TYPE_CHECKING:  # an endorsement is a credential, which holds profiles and achievements
    from credentials.model.badge import Endorsement


class IdentityObject(Model):
    """The identifier of a recipient, in clear or hashed.

    See `recipient.identity_object`.
    """

    model_config = ConfigDict(extra="forbid")
    own_type: ClassVar = "IdentityObject"
    type: Literal["IdentityObject"] = "IdentityObject"
    hashed: bool
    identity_hash: str
    identity_type: IdentifierType
    salt: str | None = None


class IdentifierEntry(Model):
    """Another identifier of an organization, a person or an achievement."""

    model_config = ConfigDict(extra="forbid")
    own_type: ClassVar = "IdentifierEntry"
    type: Literal["IdentifierEntry"] = "IdentifierEntry"
    identifier: str
    identifier_type: IdentifierType


class GeoCoordinates(Model):
    """A place on Earth, in degrees."""

    own_type: ClassVar = "GeoCoordinates"
    type: Literal["GeoCoordinates"] = "GeoCoordinates"
    latitude: Number
    longitude: Number


class Address(Classified):
    """A postal address."""

    own_type: ClassVar = ["Address"]
    address_country: str | None = None
    address_country_code: str | None = None
    address_region: str | None = None
    address_locality: str | None = None
    street_address: str | None = None
    post_office_box_number: str | None = None
    postal_code: str | None = None
    geo: GeoCoordinates | None = None


class Profile(Classified):
    """An organization or a person."""

    own_type: ClassVar = ["Profile"]
    id: str
    name: str | None = None
    url: str | None = None
    phone: str | None = None
    description: str | None = None
    endorsement: "Several[Endorsement] | None" = None
    endorsement_jwt: Several[CompactJws] | None = None
    image: Image | None = None
    email: str | None = None
    address: Address | None = None
    other_identifier: Several[IdentifierEntry] | None = None
    official: str | None = None
    parent_org: "Profile | None" = None
    family_name: str | None = None
    given_name: str | None = None
    additional_name: str | None = None
    patronymic_name: str | None = None
    honorific_prefix: str | None = None
    honorific_suffix: str | None = None
    family_name_prefix: str | None = None
    date_of_birth: Day | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_image(self.image)
        return self
