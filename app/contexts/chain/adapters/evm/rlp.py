"""RLP, as transactions are written."""

Item = int | bytes | list["Item"]


def encode(item: Item) -> bytes:
    """The item as RLP has it; numbers without zeros in front."""
    if isinstance(item, list):
        content = b"".join(map(encode, item))
        return _length(len(content), 0xC0) + content
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if len(item) == 1 and item[0] < 0x80:
        return item
    return _length(len(item), 0x80) + item


def _length(length: int, offset: int) -> bytes:
    if length < 56:
        return bytes([offset + length])
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(digits)]) + digits
