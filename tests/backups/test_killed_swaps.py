"""Whoever is killed in a swap leaves the old database in its place or the new one, and what is begun is settled."""

import pytest

from backups.engine.kept_databases import old_databases
from backups.engine.repository import Repository
from backups.engine.server import Server
from backups.engine.swapping import (
    finish_or_undo_swap,
    swap_back,
)
from backups.errors import ServerGone
from tests.backups.cluster import Cluster
from tests.backups.shops import (
    DONE_FROM,
    MOMENTS,
    NEW,
    OLD,
    STAGES,
    carrying,
    closed_ones,
    empty_server,
    in_a_child,
    kill_me,
    make_shop,
    rows,
    says,
    swapped,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(cluster: Cluster) -> Server:
    """The shop's database, and beside it one that may take its place."""
    empty_server(cluster)
    make_shop(cluster, "shop_new", NEW)
    return make_shop(cluster, "shop", OLD)


@pytest.mark.parametrize("moment", MOMENTS)
def test_whoever_is_killed_leaves_one_of_both_in_its_place(repository: Repository, shop: Server, moment: str) -> None:
    rows(shop, "INSERT INTO orders (what) VALUES ('tea')")

    def fate(now_at: str) -> None:
        if now_at == moment:
            kill_me()

    assert in_a_child(lambda: swapped(repository, shop, fate)) == -9

    again: list[tuple[str, str]] = []
    settled = finish_or_undo_swap(repository, shop, after=lambda swap: again.append((swap.kept, swap.job)))
    is_done = moment == "in tidying" or (moment in STAGES and STAGES.index(moment) >= DONE_FROM)
    if is_done:
        assert settled is not None
        assert settled.is_done
        assert says(shop) == NEW
        assert again == [(settled.swap.kept, "the work")]
        assert [one.name for one in old_databases(shop)] == [settled.swap.kept]
        assert closed_ones(shop) == {settled.swap.kept}
        assert rows(shop, "SELECT what FROM orders") == [("carried 1",)]
    else:
        assert settled is None if moment == STAGES[0] else settled is not None and not settled.is_done
        assert says(shop) == OLD
        assert again == []
        assert closed_ones(shop) == set()
        assert rows(shop, "SELECT what FROM orders") == [("tea",)]
    assert finish_or_undo_swap(repository, shop) is None

    if not is_done:
        # The next attempt goes through.
        swapped(repository, shop)
        assert says(shop) == NEW


@pytest.mark.parametrize("moment", ["closing the old database", "in carrying", "changing places", "in tidying"])
def test_whoever_is_killed_on_the_way_back_leaves_one_of_both_too(
    repository: Repository, shop: Server, moment: str
) -> None:
    kept = swapped(repository, shop).kept

    def go_back() -> None:
        def fate(now_at: str) -> None:
            if now_at == moment:
                kill_me()

        swap_back(
            repository,
            shop,
            kept,
            carry=carrying(fate),
            after=lambda swap: fate("in tidying"),
            progress=lambda stage, share: fate(stage),
        )

    assert in_a_child(go_back) == -9
    settled = finish_or_undo_swap(repository, shop)
    assert settled is not None
    assert says(shop) == (OLD if moment == "in tidying" else NEW)
    assert len(closed_ones(shop)) == 1
    assert len(old_databases(shop)) == 1


@pytest.mark.parametrize("moment", STAGES[1:])
def test_a_server_that_is_killed_has_one_of_both_in_its_place_afterwards(
    repository: Repository, shop: Server, cluster: Cluster, moment: str
) -> None:
    def fate(now_at: str) -> None:
        if now_at == moment:
            cluster.kill()

    # What this server acknowledges is not on the disk yet.
    cluster.sql("CHECKPOINT", database="postgres")
    try:
        swapped(repository, shop, fate)
        is_done = True
    except ServerGone:
        is_done = False
    cluster.start()
    shop = cluster.server.of("shop")
    settled = finish_or_undo_swap(repository, shop)
    if settled is not None:
        is_done = settled.is_done
    assert is_done is (STAGES.index(moment) >= DONE_FROM)
    assert says(shop) == (NEW if is_done else OLD)
    assert len(closed_ones(shop)) == (1 if is_done else 0)
    assert finish_or_undo_swap(repository, shop) is None


def test_a_journal_that_can_not_be_read_leaves_the_shop_open(
    repository: Repository, shop: Server, cluster: Cluster
) -> None:
    cluster.sql("ALTER DATABASE shop ALLOW_CONNECTIONS false", database="postgres")
    (repository.root / "swap.json").write_text("{")
    assert finish_or_undo_swap(repository, shop) is None
    assert says(shop) == OLD
