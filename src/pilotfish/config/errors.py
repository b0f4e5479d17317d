"""Errors of configuration.

ConfigError    a setting that cannot be; the sentence names it and says what is allowed
"""

from __future__ import annotations


class ConfigError(ValueError):
    """A setting that cannot be."""
