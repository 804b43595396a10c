"""What every table of router.toml has in common: strict types, no unknown keys, and a meaning for each key."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Table(BaseModel):
    """A table of router.toml; each field's description says its meaning and unit, in words for the file's writer."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    def given(self) -> dict[str, Any]:
        """The keys that the file names, with their values."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}

    @classmethod
    def spelt(cls) -> dict[str, FieldInfo]:
        """Its keys as the file spells them, in order."""
        return {field.alias or name: field for name, field in cls.model_fields.items()}
