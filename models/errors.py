"""What can go wrong with a model, as sentences that say what to do.

* ModelError
  * UnknownModel   nobody knows a model by that name
  * BadDeclaration what was declared about its labels or languages makes no sense
  * BrokenModel    its files are missing or not what they should be, or its answers are not
  * Unavailable    its server is busy or out of reach; ask again after `wait`
  * Refused        its server does not take these texts, though perhaps some of them
    * TooMany      it takes fewer at once
"""

from datetime import timedelta


class ModelError(Exception):
    """A model cannot be used. The message is a sentence for the person who runs the listener."""


class UnknownModel(ModelError):
    """There is no model by that name."""


class BadDeclaration(ModelError):
    """What the operator declared about a model cannot be used."""


class BrokenModel(ModelError):
    """The model's files are missing, cut short or changed, or it answers what nobody asked."""


class Unavailable(ModelError):
    """The model's server is busy or out of reach, whatever it is asked.

    `wait` is how long it asked us to stay away; None when it did not say.
    """

    def __init__(self, message: str, *, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Refused(ModelError):
    """The model's server does not take what it was sent; it may take a part of it."""


class TooMany(Refused):
    """The model's server takes fewer texts at once."""
