"""The versions of a rubric, as far as evaluations are held against them."""

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from service.errors import InvalidError
from service.suggestions import did_you_mean, listed


class Scale(NamedTuple):
    """What evaluations may say by one version of a rubric."""

    id: UUID
    number: int
    criteria: Collection[str]
    lowest: float
    highest: float

    def hold(self, ratings: Mapping[str, float]) -> None:
        """Let ratings pass that use the criteria and the levels of the version.

        Raises:
            InvalidError: they use another criterion (code "rubric-criterion-unknown"), or a lower or a higher level
                ("level-out-of-range").
        """
        for name, level in ratings.items():
            place = "/ratings/" + name.replace("~", "~0").replace("/", "~1")
            if name not in self.criteria:
                meant = did_you_mean(name, self.criteria)
                message = f"Expected a criterion of the rubric, which has {listed(self.criteria)}{meant}."
                raise InvalidError("rubric-criterion-unknown", message, place)
            if not self.lowest <= level <= self.highest:
                message = f"Expected a level from {self.lowest:g} to {self.highest:g}, got {level:g}."
                raise InvalidError("level-out-of-range", message, place)


class PostedRubric(NamedTuple):
    """A rubric that the network has posted: its versions by their numbers, and the one that counts if none is named."""

    versions: Mapping[str, Scale]
    unnamed: Scale

    def held(self, version: str | None, ratings: Mapping[str, float]) -> Scale:
        """Return the version against which ratings are held, and which they fit.

        Raises:
            InvalidError: the rubric has no such version (code "rubric-version-unknown"), or as `Scale.hold`.
        """
        scale = self.versions.get(version) if version is not None else self.unnamed
        if scale is None:
            message = f"Expected a version of the rubric, which has {listed(self.versions)}."
            raise InvalidError("rubric-version-unknown", message, "/rubric_version")
        scale.hold(ratings)
        return scale
