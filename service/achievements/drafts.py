"""Change a draft in part, or delete it."""

from pydantic import TypeAdapter
from sqlalchemy import delete

from service.access.act import Act
from service.achievements import achievements, publishing
from service.achievements.achievements import ShownAchievement
from service.achievements.definitions import AchievementChange, AchievementFields
from service.bodies import merged, validated
from service.errors import ConflictError
from service.tables import AchievementVersion

_DEFINITION: TypeAdapter[AchievementFields] = TypeAdapter(AchievementFields)


def amend(act: Act, ref: str, body: AchievementChange) -> ShownAchievement:
    """Change some members of an achievement's newest definition; return the achievement.

    The whole is taken as `achievements.change` takes it: what is published stays as it is, and the change is the draft
    of the next version.

    Raises:
        NotFoundError: no such achievement (code "achievement-unknown").
        InvalidError: what results is not a definition, or as `achievements.change`.
    """
    [shown] = achievements.show(act.session, [achievements.held(act, ref)])
    patch = body.model_dump(mode="json", exclude_unset=True)
    changed, _ = achievements.change(act, ref, validated(_DEFINITION, merged(shown.newest.definition, patch)))
    return changed


def remove(act: Act, ref: str) -> None:
    """Delete an achievement that was never published.

    Raises:
        NotFoundError: no such achievement (code "achievement-unknown").
        ConflictError: a version of it was published (code "achievement-published").
    """
    achievement = achievements.held(act, ref)
    if publishing.newest_published(act.session, achievement) is not None:
        message = (
            "Expected an achievement that was never published; badges of this one may exist. Retire it instead: "
            f"`POST /v1/networks/{act.network.slug}/achievements/{ref}/retirement`."
        )
        raise ConflictError("achievement-published", message)
    act.session.execute(delete(AchievementVersion).where(AchievementVersion.achievement_id == achievement.id))
    act.session.delete(achievement)
    act.session.flush()
