"""Points of an assessment or a survey, and their score from 0 to 1."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from service.bodies import Body
from service.evidence.bodies import finite

ROUNDED = 0.0051
"""How far a scaled score may differ from what is computed from the raw score: people round to two decimals."""

Number = Annotated[float, PlainValidator(finite), WithJsonSchema({"type": "number"})]


class Points(Body):
    """A score as the assessment gave it, and scaled to 0..1."""

    raw: Number | None = Field(None, examples=[17])
    min: Number | None = Field(None, description="0, if left out")
    max: Number | None = Field(None, examples=[20])
    scaled: Annotated[float, Field(ge=0, le=1), BeforeValidator(finite)] | None = Field(
        None, description="computed from the others if they are given"
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        computed = self._computed
        if computed is None and self.scaled is None:
            raise PydanticCustomError("score-incomplete", "Expected `scaled`, or `raw` and `max`")
        if computed is not None and self.scaled is not None and abs(computed - self.scaled) > ROUNDED:
            raise PydanticCustomError("score-mismatch", "Expected `scaled` as `raw`, `min` and `max` give it")
        return self

    @property
    def _computed(self) -> float | None:
        if self.raw is None or self.max is None:
            return None
        low = self.min or 0
        if self.max <= low:
            raise PydanticCustomError("score-range", "Expected `max` above `min`")
        if not low <= self.raw <= self.max:
            raise PydanticCustomError("score-out-of-range", "Expected `raw` between `min` and `max`")
        return (self.raw - low) / (self.max - low)

    @property
    def value(self) -> float:
        """The score from 0 to 1."""
        computed = self._computed
        return float(computed if computed is not None else self.scaled or 0)
