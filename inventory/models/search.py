"""What the menu's search looks through. The database's own triggers keep it right, whoever writes a product."""

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

# Letters that people leave out: both what is typed and what is found is written without them.
WITH_ACCENTS = "ёàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿąćęłńśźżœ"
WITHOUT = "еaaaaaaaceeeeiiiinoooooouuuuyyacelnszzo"


class ProductWords(models.Model):
    """The words of a product: those of its name, and all of them with those of its category and description.

    Each word stands there as it is written and as its English or Russian stem. `name` is a vector of its own because
    an index knows no weights: what is called so comes before what is described so without reading all that is.
    """

    product = models.OneToOneField(
        "inventory.Product",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="words",
        verbose_name=_("product"),
    )
    name = SearchVectorField(_("words of the name"))
    whole = SearchVectorField(_("all words"))

    class Meta:
        verbose_name = _("words of a product")
        verbose_name_plural = _("words of products")
        default_permissions = ()
        indexes = [
            GinIndex(fields=["name"], name="products_by_words_of_name", fastupdate=False),
            GinIndex(fields=["whole"], name="products_by_words", fastupdate=False),
        ]

    def __str__(self) -> str:
        return str(self.product_id)


class KnownWord(models.Model):
    """A word that stands in some product: what a mistyped one may have meant.

    It stays when the last product with it goes, and two transactions at once may both add it: neither does harm, and
    so nobody waits for anybody.
    """

    word = models.CharField(_("word"), max_length=40)

    class Meta:
        verbose_name = _("known word")
        verbose_name_plural = _("known words")
        default_permissions = ()
        indexes = [
            models.Index(fields=["word"], name="known_words"),
            GinIndex(OpClass("word", "gin_trgm_ops"), name="known_words_by_letters", fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.word


# For Product.Meta.triggers and Category.Meta.triggers; the function stands in the migration that made the tables.
TRIGGERS_OF_PRODUCTS = [
    pgtrigger.Trigger(
        name="words_of_new_products",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="new_products"),
        func="PERFORM inventory_index_products(ARRAY(SELECT id FROM new_products)); RETURN NULL;",
    ),
    pgtrigger.Trigger(
        name="words_of_changed_product",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("name", "description", "category_id"),
        condition=pgtrigger.AnyChange("name", "description", "category"),
        func="PERFORM inventory_index_products(ARRAY[NEW.id]); RETURN NULL;",
    ),
    pgtrigger.Trigger(
        name="words_of_deleted_products",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Delete,
        referencing=pgtrigger.Referencing(old="old_products"),
        func="DELETE FROM inventory_productwords WHERE product_id IN (SELECT id FROM old_products); RETURN NULL;",
    ),
]
TRIGGERS_OF_CATEGORIES = [
    pgtrigger.Trigger(
        name="words_of_renamed_category",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("name"),
        condition=pgtrigger.AnyChange("name"),
        func="PERFORM inventory_index_products(ARRAY(SELECT id FROM inventory_product WHERE category_id = NEW.id)); "
        "RETURN NULL;",
    ),
]
