"""The settings of the catalogue."""

from typing import Literal

from app.platform.process.settings import Section

Language = Literal[
    "arabic", "armenian", "basque", "catalan", "danish", "dutch", "english", "finnish", "french", "german", "greek",
    "hindi", "hungarian", "indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian", "portuguese",
    "romanian", "russian", "serbian", "simple", "spanish", "swedish", "tamil", "turkish", "yiddish",
]  # fmt: skip
"""The text search configurations that every PostgreSQL has which this is tested on."""


class CatalogSettings(Section, frozen=True, kw_only=True):
    """How products are searched."""

    search_language: Language = "english"
