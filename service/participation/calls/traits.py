"""Refuse topics and statements of a call that ask for a protected trait.

A list of words in English and Spanish finds what is asked openly. It cannot find a trait that is paraphrased, asked in
another language, or guessed from something else, such as the year of a diploma; and it also refuses a topic that only has
such a word in it. The form of an application has fixed fields, so that nothing else can be asked.
"""

import re
import unicodedata
from typing import Final

WORDS: Final = (
    # English
    "age",
    "aged",
    "birthday",
    "date of birth",
    "year of birth",
    "disabled",
    "disability",
    "disabilities",
    "ethnic",
    "ethnicity",
    "gender",
    "sex",
    "marital status",
    "married",
    "pregnant",
    "pregnancy",
    "nationality",
    "citizenship",
    "race",
    "racial",
    "skin colour",
    "skin color",
    "religion",
    "religious",
    "political opinion",
    "political opinions",
    "sexual orientation",
    "trade union",
    "health",
    "illness",
    # Spanish, without accents
    "edad",
    "fecha de nacimiento",
    "ano de nacimiento",
    "discapacidad",
    "discapacidades",
    "minusvalia",
    "etnia",
    "etnico",
    "etnica",
    "genero",
    "sexo",
    "estado civil",
    "casado",
    "casada",
    "embarazo",
    "embarazada",
    "nacionalidad",
    "raza",
    "racial",
    "color de piel",
    "religion",
    "religioso",
    "religiosa",
    "opinion politica",
    "opiniones politicas",
    "orientacion sexual",
    "sindicato",
    "salud",
    "enfermedad",
)
_FOUND: Final = re.compile(rf"\b({'|'.join(sorted(set(WORDS), key=len, reverse=True))})\b")


def named_in(text: str) -> str | None:
    """Return the first word of a text that names a protected trait, without accents; None if there is none."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each))
    found = _FOUND.search(" ".join(plain.split()))
    return None if found is None else found[1]
