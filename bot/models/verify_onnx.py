"""What an ONNX graph asks for before onnxruntime sees it: no operators of strangers, and no data but what lies beside it.

Owns: the look, and that it is taken in a child process with a limit on memory: two bytes of a graph can be an object of a hundred.
Leaves the walk over the files to `bot.models.verify`. A program of its own, too: `python -m bot.models.verify_onnx FILE`.

    check_onnx(Path("m/model.onnx"), Path("m"))
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.confine import set_limit
from bot.locale import Text, phrases
from bot.models.refusal import plain, refused
from bot.models.verify_json import is_inside
from bot.sandbox_process import child_environment

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

_ = phrases(__file__)

LARGEST_BYTES: Final = (2 << 30) - 1
"""Source: Protocol Buffers, "Total Size": a message has less than 2 GiB."""
MEMORY_BYTES: Final = 1 << 30
"""Address space of the child beyond three times the file."""
SECONDS: Final = 60
DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
RUNS_FILES: Final = frozenset({"EPContext", "PyOp"})
"""Operators of onnxruntime's own that load a compiled file or call Python. Source: onnxruntime, docs/ContribOperators.md."""
FOREIGN, ELSEWHERE, UNREADABLE = "foreign", "elsewhere", "unreadable"
REFUSED: Final = 3
"""The child's exit code where it found something; what it found stands on stdout."""


def check_onnx(file: Path, _folder: Path) -> None:
    """Refuse a file whose graph asks for more than a graph may. Raises UnsafeModelError."""
    state = file.stat()
    found = _looked_at(file, (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino))
    if found:
        kind, _space, name = found.partition(" ")
        raise refused(file.name, _why(kind, name))


def _why(kind: str, name: str) -> Text:
    if kind == FOREIGN:
        return _("it names code to import: {name}", name=plain(name))
    return _("it points outside its folder") if kind == ELSEWHERE else _("it cannot be read as ONNX")


@lru_cache(maxsize=64)
def _looked_at(file: Path, _state: tuple[int, ...]) -> str:
    """Return what is wrong with the file, "" for nothing; once for each state of it."""
    if file.stat().st_size > LARGEST_BYTES:
        return UNREADABLE
    try:
        child = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-P", "-W", "ignore", "-m", __name__, str(file.absolute())],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False, env=child_environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return UNREADABLE
    except OSError:  # a probe's own child may start no other; it has limits of its own
        return fault_of(file)
    if child.returncode == REFUSED:
        return child.stdout.decode(errors="replace").strip()
    return "" if child.returncode == 0 else UNREADABLE


def fault_of(file: Path) -> str:
    """Return what is wrong with the graph: `foreign NAME`, `elsewhere` or `unreadable`; "" for nothing."""
    import onnx  # noqa: PLC0415 - 0.2 s that only an ONNX model pays
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        model = onnx.load(str(file), load_external_data=False)
    except (DecodeError, ValueError, MemoryError):
        return UNREADABLE
    nodes = list(_nodes(model))
    own = {(function.domain, function.name) for function in model.functions}
    imported = {one.domain for holder in (model, *model.functions) for one in holder.opset_import}
    foreign = {node.domain for node in nodes if node.domain not in DOMAINS and (node.domain, node.op_type) not in own}
    foreign |= imported - DOMAINS - {domain for domain, _name in own}
    if found := foreign or {node.op_type for node in nodes} & RUNS_FILES:
        return f"{FOREIGN} {min(found)}"
    return "" if all(_lies_beside(file, tensor) for tensor in _tensors(model, nodes)) else ELSEWHERE


def _lies_beside(file: Path, tensor: TensorProto) -> bool:
    """Say whether a tensor's data is in the file or beside it. Source: onnx, docs/ExternalData.md."""
    places = [one.value for one in tensor.external_data if one.key == "location"]
    if not places:
        return bool(tensor.data_location != tensor.EXTERNAL)
    return all(is_inside(place) and (file.parent / place).is_file() for place in places)


def _nodes(model: ModelProto) -> Iterator[NodeProto]:
    """Yield every node of the model: of its graphs, of its functions, and of the graphs within nodes."""
    waiting: list[NodeProto] = [node for function in model.functions for node in function.node]
    waiting += model.graph.node
    for training in model.training_info:
        waiting += [*training.initialization.node, *training.algorithm.node]
    while waiting:
        node = waiting.pop()
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                waiting += graph.node


def _tensors(model: ModelProto, nodes: list[NodeProto]) -> Iterator[TensorProto]:
    """Yield every tensor of the model, wherever it stands."""
    attributes = [attribute for node in nodes for attribute in node.attribute]
    attributes += [attribute for function in model.functions for attribute in function.attribute_proto]
    graphs = [model.graph, *(graph for one in model.training_info for graph in (one.initialization, one.algorithm))]
    graphs += [graph for attribute in attributes for graph in (attribute.g, *attribute.graphs)]
    for graph in graphs:
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for attribute in attributes:
        yield from (attribute.t, *attribute.tensors)
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)


def main(file: Path) -> int:
    """Look at `file` within limits, print what is wrong with it, and return the exit code."""
    import onnx  # noqa: F401, PLC0415 - loaded before the limit, which is on what the file takes

    set_limit("RLIMIT_CPU", SECONDS)
    set_limit("RLIMIT_AS", _address_space() + MEMORY_BYTES + 3 * file.stat().st_size)
    found = fault_of(file)
    if not found:
        return 0
    sys.stdout.buffer.write(found.encode(errors="replace"))
    return REFUSED


def _address_space() -> int:
    """Return how many bytes of addresses the process has now. Source: proc(5), /proc/pid/statm, size."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * 4096
    except OSError:
        return 8 << 30


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
