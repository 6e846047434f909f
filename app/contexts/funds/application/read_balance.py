"""Read a user's balances."""

from collections.abc import Sequence

from app.contexts.funds.application.wallet_reader import Balance, WalletReader
from app.contexts.funds.domain.refusals import UserNotFound, WalletNotFound
from app.kernel.ids import UserId
from app.kernel.money import Currency


async def read_balance(reader: WalletReader, user_id: UserId, currency: Currency | None) -> Sequence[Balance]:
    """The user's balances by currency, or the one in `currency`.

    Raises:
        UserNotFound: the user has no wallet.
        WalletNotFound: the user has none in that currency.
    """
    balances = await reader.balances(user_id)
    if not balances:
        raise UserNotFound
    if currency is None:
        return balances
    balances = [balance for balance in balances if balance.currency == currency]
    if not balances:
        raise WalletNotFound(currency)
    return balances
