"""What operators look at beyond one database: wallets with their history."""

from uuid import UUID

from app.adapters.postgres.standings import PostgresStandings
from app.application.wallets.standing import Wallets, read_wallets
from app.main.container import Container
from app.main.settings import Settings


async def wallets_of(container: Container, settings: Settings, user_id: UUID, lines: int) -> Wallets:
    """A user's wallets with their newest lines.

    Raises:
        UserNotFound: the user has no wallet.
        Unavailable: the database is out of reach.
    """
    pool = container.reading_pool()
    await pool.open()
    try:
        return await read_wallets(PostgresStandings(settings.database_url), container.reader(), user_id, lines)
    finally:
        await pool.close()
