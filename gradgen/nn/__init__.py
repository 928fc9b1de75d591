"""Neural networks, in functions and pytrees: plain NumPy that gradgen traces, compiles and differentiates."""

from gradgen.nn.activations import (
    elu,
    gelu,
    identity,
    leaky_relu,
    log_softmax,
    maxout,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from gradgen.nn.initialisers import he, orthogonal, xavier
from gradgen.nn.losses import binary_cross_entropy, huber, mse, softmax_cross_entropy, svm_hinge
from gradgen.nn.metrics import accuracy
from gradgen.nn.mlp import MLP
from gradgen.nn.regularizers import l1, l2

__all__ = [
    "MLP",
    "accuracy",
    "binary_cross_entropy",
    "elu",
    "gelu",
    "he",
    "huber",
    "identity",
    "l1",
    "l2",
    "leaky_relu",
    "log_softmax",
    "maxout",
    "mse",
    "orthogonal",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "svm_hinge",
    "tanh",
    "xavier",
]
