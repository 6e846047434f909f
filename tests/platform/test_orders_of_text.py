"""In what order texts stand in indices."""

import psycopg

from app.main.local.roles import Urls
from tests.schemas import SCHEMAS


def test_no_index_of_ours_hangs_on_the_order_of_a_library(database: Urls) -> None:
    """But for those of the tool that runs the migrations, over hexadecimal digits."""
    query = """
        SELECT indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%s)
            AND c.relname NOT LIKE '%%yoyo%%'
            AND EXISTS (SELECT FROM unnest(indcollation) o WHERE o NOT IN (0, '"C"'::regcollation))
    """
    with psycopg.connect(database.app_url) as connection:
        assert connection.execute(query, ([*SCHEMAS],)).fetchall() == []
