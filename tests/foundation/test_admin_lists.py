"""How lists of the admin tell how much there is."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from monitoring.models import Alert
from users.models import User

pytestmark = pytest.mark.django_db

LIST = "/admin/monitoring/alert/"


@pytest.fixture
def reader() -> Client:
    user = User.objects.create_user("reader@example.com", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_alert"))
    for subject in ("milk", "tea", "ice"):
        Alert.objects.create(event="stock.low", severity="info", subject=subject, message=f"{subject} is low")
    client = Client()
    client.force_login(user)
    return client


def test_a_list_of_everything_says_how_many_there_are_and_offers_no_more(reader):
    page = reader.get(LIST).content.decode()

    assert re.search(r">\s+3\s+alerts\s+<", page)
    assert "Show all" not in page


@pytest.mark.parametrize("narrowed", ["q=milk", "severity__exact=info&q=milk"])
def test_a_list_that_leaves_something_out_offers_all(reader, narrowed):
    page = reader.get(f"{LIST}?{narrowed}").content.decode()

    assert "1 result" in page
    assert "Show all" in page


def test_a_list_that_a_filter_narrows_offers_all(reader):
    assert "Show all" in reader.get(f"{LIST}?severity__exact=info").content.decode()


def test_the_whole_table_is_never_counted(reader, django_assert_max_num_queries):
    with django_assert_max_num_queries(20) as queries:
        reader.get(f"{LIST}?q=milk")

    counts = [query["sql"] for query in queries.captured_queries if "COUNT(*)" in query["sql"]]
    assert counts
    assert all("LIMIT 10001" in sql for sql in counts)
