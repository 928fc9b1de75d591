"""Pytrees through optree. Dataclasses are registered when they are first met."""

from __future__ import annotations

import dataclasses
from typing import Any

import optree

NAMESPACE = "gradgen"


def flatten(tree) -> tuple[list, Any]:
    """Leaves and structure; None is structure, a dataclass instance is a node of its fields."""
    leaves, spec = optree.tree_flatten(tree, namespace=NAMESPACE)
    for leaf in leaves:
        if dataclasses.is_dataclass(leaf) and not isinstance(leaf, type):
            _register(type(leaf))
            return flatten(tree)
    return leaves, spec


def unflatten(spec, leaves):
    return optree.tree_unflatten(spec, leaves)


def _register(kind: type) -> None:
    names = tuple(f.name for f in dataclasses.fields(kind))

    def take(value):
        return tuple(getattr(value, n) for n in names), None, names

    def make(_, children):
        # Without __init__, which may check or convert what a tree of gradients does not satisfy.
        value: Any = object.__new__(kind)
        for name, child in zip(names, children, strict=True):
            object.__setattr__(value, name, child)
        return value

    optree.register_pytree_node(kind, take, make, namespace=NAMESPACE)
