"""Errors that a user can act on: each says what is wrong, what was found, what is allowed and how to go on."""

from collections.abc import Iterable

__all__ = [
    "EarnestError",
    "InputError",
    "IntegrityError",
    "MissingExtraError",
    "OutputExistsError",
    "PluginError",
    "SchemaError",
    "VersionError",
]


class EarnestError(Exception):
    """Base of all errors raised on purpose; the command line prints the message and exits with 2."""


class InputError(EarnestError):
    """An argument, option or input file that cannot be used."""


class SchemaError(EarnestError):
    """A table that breaks the catalog schema; the message lists every broken rule.

    Parameters
    ----------
    subject
        What was checked, for instance a file name.
    problems
        One sentence for each broken rule.
    """

    def __init__(self, subject: str, problems: Iterable[str]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__("\n  - ".join([f"{subject}: {len(self.problems)} problem(s)", *self.problems]))

    def __reduce__(self) -> tuple[type["SchemaError"], tuple[str, tuple[str, ...]]]:
        return type(self), (self.subject, self.problems)


class VersionError(EarnestError):
    """A file of a format or schema version that this release does not read.

    Examples
    --------
    >>> print(VersionError.unsupported("SET/manifest.json", "format_version", found=9, supported=1))
    SET/manifest.json: format_version is 9, this release reads up to 1; install a newer earnest-common
    """

    @classmethod
    def unsupported(cls, subject: object, field: str, *, found: object, supported: int) -> "VersionError":
        """Return the error for one version field."""
        return cls(
            f"{subject}: {field} is {found}, this release reads up to {supported}; install a newer earnest-common"
        )


class IntegrityError(EarnestError):
    """A file whose content differs from its recorded checksum, or that is cut short."""


class OutputExistsError(InputError):
    """An output path that is already taken; nothing is overwritten."""


class MissingExtraError(EarnestError):
    """A feature whose optional dependency is not installed."""

    @classmethod
    def of(cls, feature: str, distribution: str, extra: str) -> "MissingExtraError":
        """Return the error that names the command which installs the extra."""
        return cls(f'{feature} needs an optional dependency; install it with: pip install "{distribution}[{extra}]"')


class PluginError(EarnestError):
    """A catalog source or estimator that no installed package provides."""
