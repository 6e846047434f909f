"""What operators do with wallets from the command line: pay in, and look."""

from uuid import UUID

from app.contexts.funds.application.fund import Funded, PayingIn
from app.contexts.funds.application.reconcile import Wallets, read_wallets
from app.contexts.funds.container import FundsContainer
from app.kernel.ids import UserId
from app.kernel.money import Currency, Money
from app.platform.postgres.operator import record_done, with_pool


async def fund_wallet(
    container: FundsContainer, user_id: UUID, currency: str, amount_minor: int, reference: str | None
) -> Funded:
    """Pay into a wallet. Amounts in minor units.

    Raises:
        Refusal: see `PayingIn`.
        NotRecorded: it is paid in, and not in `audit.actions`.
        Unavailable, MigrationError: see `with_pool`.
    """
    money = Money(amount_minor, Currency(currency))
    funds: PayingIn = container.paying_in()
    pool, url = container.funding_pool(), container.database().url
    funded = await with_pool(pool, url, lambda: funds.fund(UserId(user_id), money, reference))
    if not funded.already:
        details = {"user_id": str(user_id), "currency": currency, "amount": amount_minor, "reference": reference}
        await record_done(container.platform.settings().consumers_url, "wallet fund", details)
    return funded


async def wallets_of(container: FundsContainer, user_id: UUID, lines: int) -> Wallets:
    """A user's wallets with their newest lines.

    Raises:
        UserNotFound: the user has no wallet.
        Unavailable: the database is out of reach.
    """
    pool = container.database().reading_pool
    await pool.open()
    try:
        return await read_wallets(container.standings(), container.reader(), user_id, lines)
    finally:
        await pool.close()
