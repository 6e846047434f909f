"""What the examples are about."""

from typing import Any, Final

PRODUCT_ID: Final = "0193a5b2-7c4e-7d20-8f21-3b6a9c0e5d42"
CATEGORY_ID: Final = "0193a5b2-7c4e-7d21-9a32-4c7bad1f6e53"
SELLER_ID: Final = "0193a5b2-7c4e-7d10-8f21-3b6a9c0e5d42"

SAID: Final[dict[str, Any]] = {
    "title": "A bicycle, hardly ridden",
    "description": "A town bicycle with a basket.",
    "category_id": CATEGORY_ID,
    "condition": "like_new",
    "price": 18000,
    "currency": "EUR",
    "quantity": 3,
    "images": ["https://images.example.org/bicycle.jpg"],
    "specifications": {"frame": "54 cm"},
    "shipping_info": {"from": "Leipzig", "days": 3},
}

PRODUCT: Final[dict[str, Any]] = {
    "product_id": PRODUCT_ID,
    "seller_id": SELLER_ID,
    "category_id": CATEGORY_ID,
    "title": SAID["title"],
    "description": SAID["description"],
    "condition": "like_new",
    "price": 18000,
    "currency": "EUR",
    "quantity": 3,
    "available": 2,
    "images": SAID["images"],
    "video_url": None,
    "specifications": SAID["specifications"],
    "shipping_info": SAID["shipping_info"],
    "featured": False,
    "is_active": True,
    "view_count": 17,
    "version": 4,
    "created_at": "2026-01-31T12:00:00.000000Z",
    "updated_at": "2026-01-31T12:30:00.000000Z",
}

CATEGORY_SAID: Final[dict[str, Any]] = {"name": "Bicycles", "slug": "bicycles", "sort_order": 10}

CATEGORY: Final[dict[str, Any]] = {
    "category_id": CATEGORY_ID,
    "parent_id": None,
    "name": "Bicycles",
    "slug": "bicycles",
    "description": None,
    "image_url": None,
    "sort_order": 10,
    "is_active": True,
    "children": [],
}
