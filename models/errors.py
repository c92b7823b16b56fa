"""What can go wrong with a model, as sentences that say what to do.

* ModelError
  * UnknownModel   nobody knows a model by that name
  * BrokenModel    its files are missing or not what they should be
"""


class ModelError(Exception):
    """A model cannot be used. The message is a sentence for the person who runs the listener."""


class UnknownModel(ModelError):
    """There is no model by that name."""


class BrokenModel(ModelError):
    """The model's files are missing, cut short or changed."""
