"""The folder of the embedded services' data: `var/`, or for root a folder of its own."""

import tempfile
from pathlib import Path

from foundation.programs.account import Account
from project.embedded.account import common_parent
from project.embedded.errors import CannotStart

# In root's folder: which shop it belongs to, for whoever finds it, and for a copied shop.
OWNER = "belongs-to"


def services_home(var: Path, recorded: str, account: Account | None) -> Path:
    """Returns the folder of the services' data, and makes it at the first start.

    Args:
        recorded: what `var/secrets.json` says: root's folder, "" if there is none.
        account: whom root's services run as; None keeps everything in `var`.

    Raises:
        CannotStart: the recorded folder is gone, or is another shop's.
    """
    if account is None:
        return var
    if recorded:
        home = Path(recorded)
        if not home.is_dir():
            raise CannotStart(
                f"The database of this folder was kept in {home}, which is gone: put it back, or delete "
                f"{var / 'secrets.json'} to begin anew."
            )
        _refuse_a_copy(var, home)
        return home
    return new_home(account, owner=var.parent, prefix="samovar-")


def new_home(account: Account, *, owner: Path, prefix: str) -> Path:
    """Makes a folder outside the checkout that only `account` and root can read."""
    home = Path(tempfile.mkdtemp(prefix=prefix, dir=common_parent()))
    (home / OWNER).write_text(f"{owner}\n", encoding="utf-8")
    account.own(home)
    return home


def earlier_homes(home: Path, owner: Path) -> list[Path]:
    """Returns other folders of the same shop: somebody deleted `var`, where their secrets were."""
    files = common_parent().glob(f"samovar-*/{OWNER}")
    return [
        file.parent for file in files if file.parent != home and file.read_text(encoding="utf-8").strip() == str(owner)
    ]


def _refuse_a_copy(var: Path, home: Path) -> None:
    """A copied folder brings its record along; two shops must not share one database unknowingly."""
    owner_file = home / OWNER
    owner = Path(owner_file.read_text(encoding="utf-8").strip()) if owner_file.is_file() else var.parent
    if owner == var.parent:
        return
    original = owner / "var" / "secrets.json"
    if original.is_file() and str(home) in original.read_text(encoding="utf-8"):
        raise CannotStart(
            f"The database in {home} belongs to the shop in {owner}, and this folder looks like a copy of it: delete "
            f"{var / 'secrets.json'} to begin anew here."
        )
    owner_file.write_text(f"{var.parent}\n", encoding="utf-8")  # the shop was moved
