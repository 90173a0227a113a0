"""Sign, verify and bake Open Badges and Verifiable Credentials.

The functions are pure: time, randomness, documents and keys are arguments. This file has all that a program needs.
The package must not know `service`, a clock, a network or a database.
"""

from credentials import reading
from credentials.bake import bake, extract
from credentials.errors import CredentialError, GoneError, MalformedError, UnavailableError
from credentials.findings import Finding
from credentials.graph.documents import PACKAGED, Contexts, Fetched, Load
from credentials.older import find_older, verify_older
from credentials.presentation import verify_presentation
from credentials.proofs.keys import PrivateKeySigner, Signer, VerificationKey
from credentials.report import Check, PresentationReport, Report
from credentials.sign import sign, sign_jwt, sign_presentation, sign_presentation_jwt
from credentials.strict_json import canonical_json, parse_json
from credentials.verify import verify

__all__ = [
    "PACKAGED",
    "Check",
    "Contexts",
    "CredentialError",
    "Fetched",
    "Finding",
    "GoneError",
    "Load",
    "MalformedError",
    "PresentationReport",
    "PrivateKeySigner",
    "Report",
    "Signer",
    "UnavailableError",
    "VerificationKey",
    "bake",
    "canonical_json",
    "extract",
    "find_older",
    "parse_json",
    "reading",
    "sign",
    "sign_jwt",
    "sign_presentation",
    "sign_presentation_jwt",
    "verify",
    "verify_older",
    "verify_presentation",
]
