"""Text that a format cannot hold, written so that it can be read back."""

__all__ = ["escaped"]


def escaped(text: str, *, ascii_only: bool = False) -> str:
    r"""Return the text with control characters, and on request all beyond ASCII, as JSON writes them.

    A line break would end a comment of a CSV file, XML has no control characters, and FITS has nothing but ASCII.

    Examples
    --------
    >>> print(escaped("Böhringer", ascii_only=True))
    B\u00f6hringer
    >>> print(escaped("two\nlines of Böhringer"))
    two\u000alines of Böhringer
    """
    return "".join(
        character if character.isprintable() and (character.isascii() or not ascii_only) else _code(character)
        for character in text
    )


def _code(character: str) -> str:
    units = character.encode("utf-16-be", errors="surrogatepass")  # two of them beyond U+FFFF, as in JSON
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
