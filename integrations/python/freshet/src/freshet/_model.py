"""The base class of the generated models."""

from pydantic import BaseModel, ConfigDict


class FreshetModel(BaseModel):
    """Base class of the models.

    Fields that a newer deployment returns are retained in `model_extra`.
    """

    model_config = ConfigDict(
        extra="allow", frozen=True, defer_build=True, populate_by_name=True, protected_namespaces=()
    )
