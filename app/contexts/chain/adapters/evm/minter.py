"""The key that mints, and makes the contract."""

from coincurve import PrivateKey

from app.contexts.chain.adapters.evm import contract
from app.contexts.chain.adapters.evm.transactions import address_of, signed
from app.contexts.chain.domain.fees import Fees
from app.contexts.chain.domain.mint import MintOrder
from app.contexts.chain.domain.transactions import Signed


class Minter:
    """It implements `Key`, for the contract on the chain."""

    def __init__(self, key: PrivateKey, chain_id: int, contract_address: str) -> None:
        self._key = key
        self._chain_id = chain_id
        self._contract = contract_address
        self.address = address_of(key)

    def __repr__(self) -> str:
        return f"Minter({self.address})"

    def sign(self, order: MintOrder, nonce: int, fees: Fees, gas: int) -> Signed:
        """See `Key.sign`."""
        data = contract.minting(order.request_id, order.to, order.amount)
        return signed(self._key, self._chain_id, nonce, fees, gas, self._contract, data)

    def sign_nothing(self, nonce: int, fees: Fees, gas: int) -> Signed:
        """See `Key.sign_nothing`: nothing, sent to itself."""
        return signed(self._key, self._chain_id, nonce, fees, gas, self.address, "0x")

    def sign_deployment(self, data: str, nonce: int, fees: Fees, gas: int) -> Signed:
        """The transaction that makes the contract."""
        return signed(self._key, self._chain_id, nonce, fees, gas, None, data)
