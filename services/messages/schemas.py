"""JSON Schemas of what comes in and what goes out, for the documents of both channels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import (
    CoreModeRef,
    CoreRef,
    DefsRef,
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    models_json_schema,
)
from pydantic_core import core_schema

REF_TEMPLATE = "#/components/schemas/{model}"
"""Where OpenAPI and AsyncAPI keep schemas."""


_PUBLISHED_NAMES = {"CheckoutView": "Checkout"}
"""Classes that consumers know by another name: code is generated from these names."""


@dataclass(frozen=True, slots=True)
class Schemas:
    """JSON Schemas by name, and a reference to the schema of each class."""

    definitions: dict[str, Any]
    references: dict[type[Any], JsonSchemaValue]

    @classmethod
    def of(cls, received: Iterable[type[BaseModel]], sent: Iterable[type[BaseModel]]) -> Schemas:
        """The schemas of what comes in (as validated) and of what goes out (as serialized).

        A value whose two shapes differ appears twice, as `…-Input` and `…-Output`.
        """
        references, schema = models_json_schema(
            [
                *((model, "validation") for model in received),
                *((model, "serialization") for model in sent),
            ],
            ref_template=REF_TEMPLATE,
            schema_generator=_WireSchema,
        )
        return cls(schema["$defs"], {model: ref for (model, _), ref in references.items()})


def schema_of(model: type[BaseModel], mode: JsonSchemaMode) -> dict[str, Any]:
    """The schema of one class by itself, with all that it refers to under `$defs`."""
    return model.model_json_schema(mode=mode, schema_generator=_WireSchema)


def shape_schema(shape: Any) -> dict[str, Any]:
    """The schema of a `TypedDict` without titles: headers are not a class to their readers."""
    schema = TypeAdapter(shape).json_schema()
    properties = {
        name: {key: value for key, value in part.items() if key != "title"}
        for name, part in schema["properties"].items()
    }
    return {"type": "object", "properties": properties, "required": schema["required"]}


class _WireSchema(GenerateJsonSchema):
    """Describes what is on the wire: no defaults, because a client must not fill them in (an absent
    field of an update stays as it is), and in what we send no null for an absent field (it is
    left out).

    What comes in may have no other fields. What we send may gain fields, so readers must ignore
    unknown ones.
    """

    def get_defs_ref(self, core_mode_ref: CoreModeRef) -> DefsRef:
        """The name of a class in a document, which stays when the class is renamed."""
        core_ref, mode = core_mode_ref
        for name, published in _PUBLISHED_NAMES.items():
            core_ref = CoreRef(core_ref.replace(f".{name}:", f".{published}:"))
        return super().get_defs_ref((core_ref, mode))

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        found = super().model_schema(schema)
        if self.mode == "serialization":
            found.pop("additionalProperties", None)
        return found

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        found = super().typed_dict_schema(schema)
        found.pop("additionalProperties", None)
        return found

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = schema["schema"]
        if self.mode == "serialization" and inner["type"] == "nullable":
            inner = inner["schema"]
        return self.generate_inner(inner)

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        schema = field["schema"]
        if self.mode == "serialization" and schema["type"] == "default":
            return schema.get("default") is not None
        return super().field_is_required(field, total)

    def ser_schema(
        self,
        schema: core_schema.SerSchema
        | core_schema.IncExSeqSerSchema
        | core_schema.IncExDictSerSchema,
    ) -> JsonSchemaValue | None:
        """A `SparseValue` is serialized by a function, whose own schema would be any object."""
        return None if schema["type"] == "function-wrap" else super().ser_schema(schema)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - Pydantic's signature
        return False
