-- A page of 20 products by filters that nobody has asked for before, in two statements: which products, and what they
-- are. Given: tenant, sellers, categories.
\set which random(1, 3)
\set seller random(0, :sellers - 1)
\set category random(0, :categories - 1)
\set low random(1000, 9999)
\set high random(10000, 1000000000)

\if :which = 1
SELECT coalesce(array_agg(f.bucket), '{}') AS buckets, coalesce(array_agg(f.id), '{}') AS ids FROM (
    SELECT bucket, id FROM catalog.products
    WHERE tenant_id = :tenant::uuid AND deleted_at IS NULL AND is_active AND currency = 'USD' AND price >= :low AND price <= :high
    ORDER BY price, id LIMIT 20) f \gset
\elif :which = 2
SELECT coalesce(array_agg(f.bucket), '{}') AS buckets, coalesce(array_agg(f.id), '{}') AS ids FROM (
    SELECT bucket, id FROM catalog.products
    WHERE tenant_id = :tenant::uuid AND deleted_at IS NULL AND is_active AND currency = 'USD' AND price <= :high
        AND seller_id = md5('seller ' || :seller)::uuid
    ORDER BY created_at DESC, id DESC LIMIT 20) f \gset
\else
SELECT coalesce(array_agg(f.bucket), '{}') AS buckets, coalesce(array_agg(f.id), '{}') AS ids FROM (
    SELECT bucket, id FROM catalog.products
    WHERE tenant_id = :tenant::uuid AND deleted_at IS NULL AND is_active AND currency = 'USD' AND price <= :high
        AND category_id = md5('category ' || :category)::uuid
    ORDER BY created_at DESC, id DESC LIMIT 20) f \gset
\endif
SELECT p.id, p.tenant_id, p.seller_id, p.category_id, p.title, p.description, p.condition, p.price, p.currency, p.quantity,
       p.reserved, p.images, p.video_url, p.specifications, p.shipping_info, p.featured, p.is_active, p.version, p.edits,
       p.created_at, p.updated_at, coalesce(v.views, 0)
    FROM unnest(:buckets::smallint[], :ids::uuid[]) AS wanted (bucket, id)
    JOIN catalog.products p ON p.bucket = wanted.bucket AND p.id = wanted.id
    LEFT JOIN catalog.product_views v ON v.bucket = p.bucket AND v.product_id = p.id
    WHERE p.tenant_id = :tenant::uuid AND p.deleted_at IS NULL;
