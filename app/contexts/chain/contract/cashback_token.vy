# pragma version 0.4.3
# pragma evm-version paris
# pragma optimize gas

"""
@title Cashback token
@license MIT
@notice An ERC-20 token of which each mint happens once: it has the id of the request that asked for it, and an id that
        was minted for is refused for ever. Nothing is ever burnt, frozen, or taken from a holder.
@dev The owner says who mints, and mints nothing itself, unless it is the minter. Sums are checked: the supply is the
     sum of all balances, and neither can overflow.
"""

from ethereum.ercs import IERC20

implements: IERC20


event Minted:
    requestId: indexed(bytes32)
    to: indexed(address)
    amount: uint256


event MinterChanged:
    previous: indexed(address)
    minter: indexed(address)


name: public(immutable(String[64]))
symbol: public(immutable(String[16]))
decimals: public(immutable(uint8))

# Who says who mints: for ever, so that whoever hands it on makes a contract the owner.
owner: public(immutable(address))
minter: public(address)

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])

# Whether a request has been minted for, by its id: a UUID's 16 bytes, zeros right of them.
known: public(HashMap[bytes32, bool])


@deploy
def __init__(name_: String[64], symbol_: String[16], decimals_: uint8, owner_: address, minter_: address):
    """
    @notice Nobody has a token yet. Whoever deploys has no rights by that.
    """
    assert owner_ != empty(address), "no owner"
    assert minter_ != empty(address), "no minter"
    name = name_
    symbol = symbol_
    decimals = decimals_
    owner = owner_
    self.minter = minter_
    log MinterChanged(previous=empty(address), minter=minter_)


@external
def mint(requestId: bytes32, to: address, amount: uint256):
    """
    @notice Make `amount` tokens for `to`, once for each request.
    """
    assert msg.sender == self.minter, "not the minter"
    assert not self.known[requestId], "request known"
    assert to != empty(address), "to nobody"
    assert amount != 0, "nothing to mint"
    assert amount <= max_value(uint256) - self.totalSupply, "supply too large"
    self.known[requestId] = True
    self.totalSupply += amount
    # No balance is larger than the supply.
    self.balanceOf[to] = unsafe_add(self.balanceOf[to], amount)
    log Minted(requestId=requestId, to=to, amount=amount)
    log IERC20.Transfer(sender=empty(address), receiver=to, value=amount)


@external
def setMinter(minter: address):
    """
    @notice Have another mint from now on, and the one before no more.
    """
    assert msg.sender == owner, "not the owner"
    assert minter != empty(address), "no minter"
    log MinterChanged(previous=self.minter, minter=minter)
    self.minter = minter


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(source: address, to: address, amount: uint256) -> bool:
    allowed: uint256 = self.allowance[source][msg.sender]
    # The largest number means: as much as there is, for ever.
    if allowed != max_value(uint256):
        assert amount <= allowed, "allowance too small"
        self.allowance[source][msg.sender] = unsafe_sub(allowed, amount)
    self._move(source, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @dev Whoever changes an allowance that is not 0 sets it to 0 first: else the spender may use the old one as well.
    """
    assert spender != empty(address), "to nobody"
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@internal
def _move(source: address, to: address, amount: uint256):
    assert to != empty(address), "to nobody"
    held: uint256 = self.balanceOf[source]
    assert amount <= held, "balance too small"
    self.balanceOf[source] = unsafe_sub(held, amount)
    # After what was taken: it may be the same one.
    self.balanceOf[to] = unsafe_add(self.balanceOf[to], amount)
    log IERC20.Transfer(sender=source, receiver=to, value=amount)
