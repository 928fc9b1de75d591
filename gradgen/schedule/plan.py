"""Graph -> loop program, start to finish.

separate outputs -> choose what is stored -> cut into units -> share loops -> lower -> tidy -> lay out the workspace
"""

from __future__ import annotations

from gradgen.ir.graph import Constant, Graph, Node
from gradgen.schedule.fuse import Dependencies, arrange, loop_variables, reads_of
from gradgen.schedule.loops import Emitter
from gradgen.schedule.lower import Lowerer
from gradgen.schedule.program import Buffer, Local, Program, check
from gradgen.schedule.storage import is_rename, origin, stored
from gradgen.schedule.tidy import tidy
from gradgen.schedule.units import Unit, units
from gradgen.schedule.workspace import lay_out


def plan(graph: Graph, donate: dict[int, int] | None = None) -> Program:
    """The loop program of a graph whose outputs have memory of their own (`separate`).

    `donate`: output place -> input place. That input's memory becomes the output's, where no later reader is hurt.
    """
    kept = stored(graph)
    work = units(graph, kept)
    inputs, scalars = _inputs(graph)
    buffers, constants = dict(inputs), _constants(graph)
    buffers.update(constants)
    reads = {u: reads_of(u, _dry(u, buffers, kept, scalars, graph)) for u in work}
    overwrites = _overwrites(graph, donate or {}, work, reads)
    outputs = _outputs(graph, overwrites, inputs)
    for place, node in enumerate(sorted(kept, key=lambda n: n.id)):
        buffers[node] = outputs.get(node) or Buffer(f"t{place}", node.dtype, node.shape, "temp", None, node)
    _renames(graph, buffers)

    lowerer = Lowerer(buffers, scalars)
    emitter = Emitter(lowerer, buffers)
    emitter.items(arrange(work, Dependencies(work, reads, overwrites)), ())
    results = [_result(lowerer, emitter, n) for n in graph.outputs]
    program = Program(
        graph.name, [inputs.get(n) or scalars[n] for n in graph.inputs], results, lowerer.frames[0].body,
        {b: n.attrs["value"].array for n, b in constants.items()},
    )  # fmt: skip
    tidy(program)
    lay_out(program)
    return check(program)


def _inputs(graph: Graph) -> tuple[dict[Node, Buffer], dict[Node, Local]]:
    names = graph.input_names or tuple(f"x{k}" for k in range(len(graph.inputs)))
    pairs = list(zip(graph.inputs, names, strict=True))
    buffers = {n: Buffer(name, n.dtype, n.shape, "input", None, n) for n, name in pairs if n.shape != ()}
    return buffers, {n: Local(name, n.dtype) for n, name in pairs if n.shape == ()}


def _constants(graph: Graph) -> dict[Node, Buffer]:
    arrays = [n for n in graph.nodes if n.op.name == "constant" and isinstance(n.attrs["value"], Constant)]
    # named by content: the functions of a module share them
    return {n: Buffer(f"c_{n.attrs['value'].digest[:6]}", n.dtype, n.shape, "constant", None, n) for n in arrays}


def _dry(unit: Unit, buffers: dict, kept: set[Node], scalars: dict, graph: Graph) -> Lowerer:
    """A lowerer that takes every stored value, and every scalar reduction, for loaded."""
    everything = dict(buffers)
    for n in graph.nodes:
        if n in kept or (n.op.kind == "reduction" and n.shape == ()):
            everything[n] = Buffer("", n.dtype, n.shape, "temp", None, n)
    _renames(graph, everything)
    return Lowerer(everything, scalars)


def _renames(graph: Graph, buffers: dict[Node, Buffer]) -> None:
    """Buffers of reshapes that mix axes: other shapes of memory that is there."""
    for n in graph.nodes:
        if is_rename(n) and n not in buffers:
            base = buffers[origin(n)]
            buffers[n] = Buffer(f"{base.name}r{n.id}", n.dtype, n.shape, "temp", base, n)


def _outputs(graph: Graph, overwrites: dict[Node, Node], inputs: dict[Node, Buffer]) -> dict[Node, Buffer]:
    """Buffers of outputs, by the stored value that fills them."""
    found: dict[Node, Buffer] = {}
    for place, node in enumerate(graph.outputs):
        if node.shape == ():
            continue
        memory = origin(node)
        if memory in overwrites:
            found[memory] = inputs[overwrites[memory]]
            continue
        buffer = Buffer(f"out{place}", node.dtype, node.shape, "output", None, node)
        found[memory] = (
            buffer if memory is node else Buffer(f"o{place}", node.dtype, memory.shape, "temp", buffer, memory)
        )
    return found


def _overwrites(graph: Graph, donate: dict[int, int], work: list[Unit], reads: dict) -> dict[Node, Node]:
    """Donations that hold: plain stores of one unit, whose other readers of the input can all come first."""
    found: dict[Node, Node] = {}
    writers: dict[Node, list[Unit]] = {}
    for u in work:
        writers.setdefault(u.node, []).append(u)
    for out, place in donate.items():
        node, old = graph.outputs[out], graph.inputs[place]
        mine = writers.get(node, [])
        if node.type != old.type or len(mine) != 1 or mine[0].combine or mine[0].fill or mine[0].is_call:
            continue
        own = tuple(mine[0].target(mine[0].point(loop_variables(len(mine[0].domain)))))
        if any(a.node is old and a.index != own for a in reads[mine[0]]):
            continue
        if Dependencies(work, reads, {**found, node: old}).possible():
            found[node] = old
    return found


def _result(lowerer: Lowerer, emitter: Emitter, node: Node):
    if node.shape == ():
        return lowerer.value(node, ())
    return emitter.renamed(node) if origin(node) is not node else lowerer.buffers[node]
