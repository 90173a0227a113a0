"""Load an example into a network of its own."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from service.cli.loading import marks
from service.cli.loading.in_process import Programs, programs
from service.cli.loading.marks import Mark
from service.cli.loading.shelf import NETWORK, Example
from service.cli.loading.steps import Advance, Say, Steps
from service.errors import ConflictError
from service.networks import networks
from service.runtime.runtime import Runtime
from service.tables import Network

SLUG = "example-{name}"


@dataclass(frozen=True)
class Loaded:
    """What came of loading: the network, its badges by achievement, and whether it was there already."""

    slug: str
    name: str
    badges: Mapping[str, int]
    before: bool = False


def load(
    runtime: Runtime,
    example: Example,
    slug: str | None = None,
    *,
    say: Say = lambda _line: None,
    advance: Advance = lambda _done, _total: None,
) -> Loaded:
    """Load an example, or go on where it was interrupted; one that is loaded already stays as it is.

    1. The network is created together with its mark, in one transaction.
    2. Each step is sent. What is there already stays as it is, so that all can be sent again.
    3. The mark says that it is whole, if its badges are those that it says.

    Args:
        slug: left out: "example-" and its name.
        say: told what is done.
        advance: told how much of a public file is taken in, and how much there is.
    Raises:
        ConflictError: the slug is that of another network (code "slug-taken"), it is being removed ("example-removing"),
            a step was refused ("example-refused"), or other badges came of it ("example-differs").
        InvalidError: its public files are missing.
    """
    example.check_files()
    mark, network = _begin(runtime, example, slug or SLUG.format(name=example.name))
    if mark.state == "loaded":
        with programs(runtime, network) as speaking:
            return Loaded(mark.slug, network.name, _badges(speaking), before=True)
    with programs(runtime, network) as speaking:
        Steps(runtime, example, mark, speaking, advance).take(say)
        badges = _badges(speaking)
    if example.badges and badges != example.badges:
        wanted = ", ".join(f"{count} of {ref}" for ref, count in example.badges.items())
        message = f"Expected {wanted}; got {badges}. `laurel example remove --slug {mark.slug}` takes it out again."
        raise ConflictError("example-differs", message)
    with runtime.database.write() as session:
        marks.write(session, replace(mark, state="loaded"))
    return Loaded(mark.slug, network.name, badges)


def _begin(runtime: Runtime, example: Example, slug: str) -> tuple[Mark, Network]:
    """Return the mark and the network, which are made if they are not there."""
    now = runtime.now()
    with runtime.database.write() as session:
        mark = marks.of_slug(session, slug)
        if mark is not None and mark.state == "removing":
            message = f"Expected a network that is not being removed: run `laurel example remove --slug {slug}` again."
            raise ConflictError("example-removing", message)
        if mark is not None and mark.example == example.name:
            return mark, networks.by_slug(session, slug)
        if mark is not None or session.scalar(select(func.count()).where(Network.slug == slug)):
            other = f"the example {mark.example}" if mark is not None else "a network that is no example"
            raise ConflictError(
                "slug-taken", f"Expected a slug that is free, got that of {other}; give another --slug."
            )
        weeks = example.weeks_until(now)
        said = example.read(NETWORK, weeks) | {"slug": slug, "sandbox": True}
        network = networks.create_network(session, runtime, networks.NetworkIn.model_validate(said), now)
        mark = Mark(str(network.id), slug, example.name, weeks)
        marks.write(session, mark)
        return mark, network


def _badges(speaking: Programs) -> dict[str, int]:
    """Return how many badges of each achievement are issued."""
    found = Counter(each["achievement"] for each in speaking.listed("GET /credentials"))
    return dict(sorted(found.items()))
