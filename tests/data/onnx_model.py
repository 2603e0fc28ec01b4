"""Write a small ONNX model without ONNX's package: one linear layer, in protobuf's own bytes."""

from pathlib import Path

import numpy as np

_FLOAT, _IR, _OPSET = 1, 7, 13


def write_linear_model(path: Path, side: int, weights: np.ndarray, bias: np.ndarray) -> Path:
    """Write y = flatten(x) @ weights + bias, x (1, 3, side, side), weights (3 * side * side, k), bias (k,)."""
    graph = _graph(side, weights, bias)
    path.write_bytes(_number(1, _IR) + _bytes(7, graph) + _bytes(8, _number(2, _OPSET)))
    return path


def _graph(side: int, weights: np.ndarray, bias: np.ndarray) -> bytes:
    flatten = _text(1, "x") + _text(2, "flat") + _text(4, "Flatten")
    linear = b"".join(_text(1, name) for name in ("flat", "w", "b")) + _text(2, "y") + _text(4, "Gemm")
    arrays = {"w": weights, "b": bias}
    return (
        b"".join(_bytes(1, node) for node in (flatten, linear))
        + _text(2, "test")
        + b"".join(_bytes(5, _tensor(name, array)) for name, array in arrays.items())
        + _bytes(11, _value("x", (1, 3, side, side)))
        + _bytes(12, _value("y", (1, len(bias))))
    )


def _tensor(name: str, array: np.ndarray) -> bytes:
    sizes = b"".join(_number(1, n) for n in array.shape)
    return sizes + _number(2, _FLOAT) + _text(8, name) + _bytes(9, array.astype("<f4").tobytes())


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    sizes = b"".join(_bytes(1, _number(1, n)) for n in shape)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, _FLOAT) + _bytes(2, sizes)))


def _varint(n: int) -> bytes:
    found = bytearray()
    while n > 127:
        found.append(n % 128 + 128)
        n //= 128
    return bytes([*found, n])


def _number(field: int, value: int) -> bytes:
    return _varint(field * 8) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field * 8 + 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
