"""What a network expects of somebody who is signed in, and where they stand."""

from fastapi import APIRouter

from service.accounts.pages_signed_in import PersonalRoute

router = APIRouter(include_in_schema=False, route_class=PersonalRoute)
