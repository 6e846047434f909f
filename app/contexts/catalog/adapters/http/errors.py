"""The errors that requests about products and categories are answered with."""

from dataclasses import replace
from typing import Final

from app.contexts.catalog.domain.shelf_refusals import (
    CategoryCycle,
    CategoryInUse,
    CategoryNotFound,
    FeaturedByAdmins,
    ProductInAuction,
    ProductNotFound,
    SlugTaken,
    StockReserved,
    TooManyEdits,
    Unfit,
    VersionMoved,
    VersionNeeded,
)
from app.platform.http import codes
from app.platform.http.codes import ErrorCode

NO_SUCH_PRODUCT: Final = replace(
    codes.NOT_FOUND,
    when="There is no such product, or it is somebody else's to change.",
    message=str(ProductNotFound()),
    refusals=(ProductNotFound,),
)
NO_SUCH_CATEGORY: Final = replace(
    codes.NOT_FOUND,
    when="There is no such category.",
    message=str(CategoryNotFound()),
    refusals=(CategoryNotFound,),
)
VERSION_NEEDED: Final = replace(codes.PRECONDITION_REQUIRED, refusals=(VersionNeeded,))
VERSION_MOVED: Final = replace(
    codes.PRECONDITION_FAILED,
    when="The product has another version than those of `If-Match`; `details` says which.",
    refusals=(VersionMoved,),
    details_of=lambda refusal: {"version": refusal.version},
)
STOCK_RESERVED: Final = ErrorCode(
    name="STOCK_RESERVED",
    status=409,
    when="More of it is reserved than that; `details` says how many.",
    message=str(StockReserved(2)),
    details={"reserved": 2},
    refusals=(StockReserved,),
    details_of=lambda refusal: {"reserved": refusal.reserved},
)
PRODUCT_IN_AUCTION: Final = ErrorCode(
    name="PRODUCT_IN_AUCTION",
    status=409,
    when="A piece of it is being auctioned.",
    message=str(ProductInAuction()),
    details={},
    refusals=(ProductInAuction,),
)
TOO_MANY_EDITS: Final = ErrorCode(
    name="TOO_MANY_EDITS",
    status=409,
    when="It has been changed 32,765 times.",
    message=str(TooManyEdits()),
    details={},
    refusals=(TooManyEdits,),
)
NOT_TO_FEATURE: Final = replace(
    codes.FORBIDDEN,
    when="A seller's or an admin's role is needed; and an admin's to say whether it is featured.",
    details={"featured": "is for admins to say"},
    refusals=(FeaturedByAdmins,),
    details_of=lambda _: {"featured": "is for admins to say"},
)
SLUG_TAKEN: Final = ErrorCode(
    name="SLUG_TAKEN",
    status=409,
    when="Another category has this slug already.",
    message=str(SlugTaken()),
    details={},
    refusals=(SlugTaken,),
)
CATEGORY_CYCLE: Final = ErrorCode(
    name="CATEGORY_CYCLE",
    status=409,
    when="The category would be below itself.",
    message=str(CategoryCycle()),
    details={},
    refusals=(CategoryCycle,),
)
CATEGORY_IN_USE: Final = ErrorCode(
    name="CATEGORY_IN_USE",
    status=409,
    when="There are categories below it, or products in it.",
    message=str(CategoryInUse()),
    details={},
    refusals=(CategoryInUse,),
)
UNFIT: Final = replace(
    codes.VALIDATION_ERROR,
    details={"category_id": "must be a category that there is"},
    refusals=(Unfit,),
    details_of=lambda refusal: {refusal.member: refusal.why},
)
"""Malformed, or it does not go with what there is."""
