"""Who is proposed to whom: as good as every assignment that there is, the same each time, and fair."""

from itertools import product
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from service.participation.needs.matching import Need, Someone, assign, load_of, needs_of, offering, ranked
from service.participation.needs.shapes import LEVELS

TOPICS = ("a", "b", "c")


def someone(number: int, **said: object) -> Someone:
    return Someone(id=UUID(int=number + 1), ref=f"m{number:02}", **said)  # type: ignore[arg-type]


@st.composite
def groups(draw: st.DrawFn) -> list[Someone]:
    """Return up to four people with at most five needs in all."""
    people, left = [], 5
    for number in range(draw(st.integers(1, 4))):
        learn = draw(st.dictionaries(st.sampled_from(TOPICS), st.integers(1, 3), max_size=min(left, 2)))
        left -= len(learn)
        people.append(
            someone(
                number,
                learn=learn,
                offer=draw(st.dictionaries(st.sampled_from(TOPICS), st.sampled_from(LEVELS), max_size=2)),
                readiness=draw(st.none() | st.integers(1, 5)),
                times=tuple(draw(st.lists(st.sampled_from(("mon-morning", "tue-evening")), unique=True))),
                can_help=draw(st.integers(1, 2)),
                shares=draw(st.booleans()),
            )
        )
    return people


def best_by_trying_everything(people: list[Someone]) -> int:
    """Return the largest sum of importance that any assignment serves."""
    needs = needs_of(people)
    choices = [[None, *(who for who in people if need.topic in who.offer and who.id != need.who.id)] for need in needs]
    best = 0
    for chosen in product(*choices):
        room = {who.id: who.can_help for who in people}
        for who in chosen:
            if who is not None:
                room[who.id] -= 1
        if min(room.values()) >= 0:
            best = max(best, sum(need.importance for need, who in zip(needs, chosen, strict=True) if who is not None))
    return best


@given(groups())
def test_no_assignment_serves_more(people: list[Someone]) -> None:
    assigned = assign(people)
    by_id = {who.id: who for who in people}
    assert sum(by_id[who].learn[topic] for who, topic in assigned) == best_by_trying_everything(people)


@given(groups())
def test_of_many_people_at_least_half_as_much_is_served_as_could_be(people: list[Someone]) -> None:
    assigned = assign(people, most_searched=0)
    by_id = {who.id: who for who in people}
    assert all(count <= by_id[who].can_help for who, count in load_of(assigned).items())
    assert all(peer.id != who and topic in peer.offer for (who, topic), peer in assigned.items())
    served = sum(by_id[who].learn[topic] for who, topic in assigned)
    assert 2 * served >= best_by_trying_everything(people)
    left = [need for need in needs_of(people) if need.key not in assigned]
    room = {who.id for who in people if load_of(assigned).get(who.id, 0) < who.can_help}
    assert not any(
        who.id in room and need.topic in who.offer and who is not need.who for need in left for who in people
    )


@given(groups(), st.randoms(use_true_random=False))
def test_a_proposal_is_possible_and_does_not_depend_on_the_order_of_answers(
    people: list[Someone], random: Random
) -> None:
    assigned = assign(people)
    for (who, topic), peer in assigned.items():
        assert topic in peer.offer
        assert peer.id != who
    by_id = {who.id: who for who in people}
    assert all(count <= by_id[who].can_help for who, count in load_of(assigned).items())
    mixed = people[:]
    random.shuffle(mixed)
    assert assign(mixed) == assigned


@given(groups())
def test_who_may_not_be_proposed_is_not(people: list[Someone]) -> None:
    assert all(peer.shares for peer in assign(people, lambda who: who.shares).values())


def test_a_peer_is_given_to_somebody_else_if_more_people_are_helped_so() -> None:
    both = someone(1, offer={"a": "can-explain", "b": "can-explain"}, can_help=1)
    one = someone(2, offer={"a": "could-start"}, can_help=1)
    first, second = someone(3, learn={"a": 3}), someone(4, learn={"b": 2})
    assigned = assign([both, one, first, second])
    assert {need: peer.ref for need, peer in assigned.items()} == {(first.id, "a"): "m02", (second.id, "b"): "m01"}


def test_a_long_way_of_changes_is_found() -> None:
    """Each of fifty peers offers two neighbouring topics, and the last need moves all others on by one."""
    peers = [someone(n, offer={f"t{n:02}": "can-explain", f"t{n + 1:02}": "have-done"}, can_help=1) for n in range(50)]
    learners = [someone(100 + n, learn={f"t{n:02}": 3 if n else 1}) for n in range(1, 50)]
    last = someone(200, learn={"t00": 1})
    assert len(assign([*peers, *learners, last])) == 50


def test_nobody_takes_all_by_wanting_much() -> None:
    peer = someone(1, offer={"a": "can-explain", "b": "can-explain"}, can_help=2)
    much, little = someone(2, learn={"a": 3, "b": 3}), someone(3, learn={"b": 3})
    assert {who for who, _ in assign([peer, much, little])} == {much.id, little.id}


def test_peers_are_ranked_by_level_then_readiness_then_common_time_and_full_ones_come_last() -> None:
    need = Need(someone(0, learn={"a": 2}, times=("mon-morning", "tue-evening")), "a")
    people = [
        someone(1, offer={"a": "could-start"}, readiness=5, times=("mon-morning", "tue-evening")),
        someone(2, offer={"a": "have-done"}, readiness=2, times=("mon-morning",)),
        someone(3, offer={"a": "have-done"}, readiness=4),
        someone(4, offer={"a": "have-done"}, readiness=2, times=("mon-morning", "tue-evening")),
        someone(5, offer={"a": "can-explain"}, readiness=5, can_help=1),
        someone(6, offer={"b": "can-explain"}),
    ]
    offers = offering([need.who, *people], lambda _: True)
    assert [each.who.ref for each in ranked(need, offers)] == ["m05", "m03", "m04", "m02", "m01"]
    busy = ranked(need, offers, {UUID(int=6): 1})
    assert [each.who.ref for each in busy] == ["m03", "m04", "m02", "m01", "m05"]
    assert [each.full for each in busy] == [False, False, False, False, True]
    assert busy[1].common == ("mon-morning", "tue-evening")


def test_who_offers_what_they_want_to_learn_is_not_their_own_peer() -> None:
    both = someone(1, learn={"a": 3}, offer={"a": "have-done"})
    assert assign([both]) == {}
    other = someone(2, learn={"a": 1}, offer={"a": "could-start"})
    assert {who: peer.ref for (who, _), peer in assign([both, other]).items()} == {both.id: "m02", other.id: "m01"}
