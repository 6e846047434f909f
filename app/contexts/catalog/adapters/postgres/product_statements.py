"""The statements about single products. Each says whose rows they are, beside the setting that shows no others."""

from typing import Final

from app.platform.postgres.pipeline import Statement

PRODUCT: Final = """p.id, p.tenant_id, p.seller_id, p.category_id, p.title, p.description, p.condition, p.price,
           p.currency, p.quantity, p.reserved, p.images, p.video_url, p.specifications, p.shipping_info, p.featured,
           p.is_active, p.version, p.edits, p.created_at, p.updated_at, coalesce(v.views, 0)"""
"""The columns of a product, in the order of `product_of`; the tables are `p` and `v`, joined by `VIEWS`."""

VIEWS: Final = "LEFT JOIN catalog.product_views v ON v.bucket = p.bucket AND v.product_id = p.id"

SOME: Final = Statement(f"""
    SELECT {PRODUCT}
    FROM unnest(%b::smallint[], %b::uuid[]) AS wanted (bucket, id)
    JOIN catalog.products p ON p.bucket = wanted.bucket AND p.id = wanted.id
    {VIEWS}
    WHERE p.tenant_id = %b::uuid AND p.deleted_at IS NULL
""")

LOCK: Final = Statement(f"""
    SELECT {PRODUCT} FROM catalog.products p {VIEWS}
    WHERE p.bucket = %b::smallint AND p.id = %b::uuid AND p.tenant_id = %b::uuid AND p.deleted_at IS NULL
    FOR NO KEY UPDATE OF p
""")

CATEGORY: Final = Statement("""
    SELECT c.id FROM catalog.categories c
    WHERE c.tenant_id = %b::uuid AND c.id = %b::uuid AND c.deleted_at IS NULL
    FOR KEY SHARE
""")
"""It stays while a product is put into it."""

IS_PINNED: Final = Statement("""
    SELECT 1
    FROM catalog.reservation_lines l
    JOIN catalog.reservations r ON r.bucket = l.bucket AND r.tenant_id = l.tenant_id AND r.business_id = l.business_id
        AND r.context = l.context AND r.name = l.name
    WHERE l.tenant_id = %b::uuid AND l.product_id = %b::uuid AND l.status = 'RESERVED' AND r.pinned
    LIMIT 1
""")

INSERT: Final = Statement("""
    INSERT INTO catalog.products (bucket, tenant_id, id, seller_id, category_id, title, description, condition, price,
        currency, quantity, put_in, images, video_url, specifications, shipping_info, featured, is_active, created_at,
        updated_at)
    SELECT r.bucket, r.tenant_id, r.id, r.seller_id, r.category_id, r.title, r.description, r.condition, r.price,
           r.currency, r.quantity, r.quantity, r.images, r.video_url, r.specifications::json, r.shipping_info::json,
           r.featured, r.is_active, r.created_at, r.created_at
    FROM (SELECT %b::smallint AS bucket, %b::uuid AS tenant_id, %b::uuid AS id, %b::uuid AS seller_id,
                 %b::uuid AS category_id, %b::text AS title, %b::text AS description, %b::text AS condition,
                 %b::bigint AS price, %b::text AS currency, %b::bigint AS quantity, %b::text[] AS images,
                 %b::text AS video_url, %b::text AS specifications, %b::text AS shipping_info, %b::boolean AS featured,
                 %b::boolean AS is_active, %b::timestamptz AS created_at) r
""")

UPDATE: Final = Statement("""
    UPDATE catalog.products p
    SET category_id = %b::uuid, title = %b::text, description = %b::text, condition = %b::text, price = %b::bigint,
        currency = %b::text, quantity = r.quantity, put_in = p.sold + r.quantity, images = %b::text[],
        video_url = %b::text, specifications = %b::text::json, shipping_info = %b::text::json, featured = %b::boolean,
        is_active = %b::boolean, version = %b::bigint, edits = %b::bigint, updated_at = %b::timestamptz
    FROM (SELECT %b::bigint AS quantity) r
    WHERE p.bucket = %b::smallint AND p.id = %b::uuid AND p.tenant_id = %b::uuid
""")

DELETE: Final = Statement("""
    UPDATE catalog.products p
    SET version = %b::bigint, edits = %b::bigint, updated_at = %b::timestamptz, deleted_at = %b::timestamptz
    WHERE p.bucket = %b::smallint AND p.id = %b::uuid AND p.tenant_id = %b::uuid
""")

DROP_LEXEMES: Final = Statement("""
    DELETE FROM catalog.product_lexemes l
    WHERE l.bucket = %b::smallint AND l.product_id = %b::uuid AND l.tenant_id = %b::uuid
""")

DROP_DOCUMENT: Final = Statement("""
    DELETE FROM catalog.product_documents d
    WHERE d.bucket = %b::smallint AND d.product_id = %b::uuid AND d.tenant_id = %b::uuid
""")

DOCUMENT: Final = """
    (setweight(to_tsvector(r.language, {title}), 'A') || setweight(to_tsvector(r.language, {description}), 'B'))
"""
"""What of a product is searched, in a language."""

WRITE_DOCUMENT: Final = Statement(f"""
    INSERT INTO catalog.product_documents (bucket, tenant_id, product_id, document)
    SELECT %b::smallint, %b::uuid, %b::uuid, {DOCUMENT.format(title="%b::text", description="%b::text")}
    FROM (SELECT %b::text::regconfig AS language) r
    ON CONFLICT (bucket, product_id) DO UPDATE SET document = EXCLUDED.document
""")

WRITE_LEXEMES: Final = Statement(r"""
    INSERT INTO catalog.product_lexemes (bucket, tenant_id, product_id, lexeme, rank, created_at)
    SELECT d.bucket, d.tenant_id, d.product_id, l.lexeme,
           ts_rank(d.document, ('''' || replace(replace(l.lexeme, '\', '\\'), '''', '''''') || '''')::tsquery),
           %b::timestamptz
    FROM catalog.product_documents d, unnest(tsvector_to_array(d.document)) AS l (lexeme)
    WHERE d.bucket = %b::smallint AND d.product_id = %b::uuid AND d.tenant_id = %b::uuid
""")
"""Each with how well the product fits a search for it alone."""
