"""How an address is spelled: EIP-55 has each letter large or small by the address's own Keccak-256."""


def checksummed(address: str) -> str:
    """The address, `0x` and 40 hexadecimal digits in any case, as EIP-55 spells it."""
    from Crypto.Hash import keccak  # noqa: PLC0415 -- many could spell addresses, and few do

    digits = address[2:].lower()
    places = keccak.new(digest_bits=256, data=digits.encode("ascii")).hexdigest()
    return "0x" + "".join(d.upper() if int(place, 16) >= 8 else d for d, place in zip(digits, places[:40], strict=True))
