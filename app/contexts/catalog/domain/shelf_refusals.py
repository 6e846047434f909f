"""What is refused to whoever puts products and categories on the shelf."""

from app.kernel.refusals import Refusal


class ProductNotFound(Refusal):
    """There is no such product, or it is somebody else's to change."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such product"


class CategoryNotFound(Refusal):
    """There is no such category."""

    code = "NOT_FOUND"

    def __str__(self) -> str:
        return "there is no such category"


class VersionNeeded(Refusal):
    """It is not said of which version of the product it is the change."""

    code = "PRECONDITION_REQUIRED"

    def __str__(self) -> str:
        return "say in If-Match which version is to change: its ETag"


class VersionMoved(Refusal):
    """The product has another version by now."""

    code = "PRECONDITION_FAILED"

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version

    def __str__(self) -> str:
        return "it has changed since; read it again"


class StockReserved(Refusal):
    """More of it is reserved than there would be left."""

    code = "STOCK_RESERVED"

    def __init__(self, reserved: int) -> None:
        super().__init__(reserved)
        self.reserved = reserved

    def __str__(self) -> str:
        return "more of it is reserved than that"


class ProductInAuction(Refusal):
    """A piece of it is being auctioned: until that is over it stays on the shelf."""

    code = "PRODUCT_IN_AUCTION"

    def __str__(self) -> str:
        return "a piece of it is being auctioned"


class TooManyEdits(Refusal):
    """Its seller has changed it as often as its events have numbers; the last is kept for when it goes."""

    code = "TOO_MANY_EDITS"

    def __str__(self) -> str:
        return "it has been changed too often; take it away, and offer another"


class FeaturedByAdmins(Refusal):
    """Somebody who is no admin wants a product featured, or no longer."""

    code = "FORBIDDEN"

    def __str__(self) -> str:
        return "whether it is featured is for admins to say"


class SlugTaken(Refusal):
    """Another category of the tenant has this slug."""

    code = "SLUG_TAKEN"

    def __str__(self) -> str:
        return "another category has this slug already"


class CategoryCycle(Refusal):
    """The category would be below itself."""

    code = "CATEGORY_CYCLE"

    def __str__(self) -> str:
        return "a category cannot be below itself"


class CategoryInUse(Refusal):
    """There are categories below it, or products in it."""

    code = "CATEGORY_IN_USE"

    def __str__(self) -> str:
        return "there are categories below it, or products in it"


class Unfit(Refusal):
    """A member of the request does not go with what there is; `member` and `why` say which."""

    code = "VALIDATION_ERROR"

    def __init__(self, member: str, why: str) -> None:
        super().__init__(member, why)
        self.member = member
        self.why = why

    def __str__(self) -> str:
        return f"{self.member} {self.why}"
