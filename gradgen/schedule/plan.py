"""Graph -> loop program, start to finish.

separate outputs -> lower the graph as one region (schedule/region.py) -> tidy -> lay out the workspace
"""

from __future__ import annotations

from gradgen.ir.graph import Constant, Graph, Node
from gradgen.schedule.cut import cut
from gradgen.schedule.loops import Emitter
from gradgen.schedule.lower import Lowerer
from gradgen.schedule.program import Buffer, Local, Program
from gradgen.schedule.region import Region
from gradgen.schedule.storage import origin
from gradgen.schedule.tidy import tidy
from gradgen.schedule.walks import check
from gradgen.schedule.workspace import lay_out


def plan(graph: Graph, donate: dict[int, int] | None = None) -> Program:
    """The loop program of a graph whose outputs have memory of their own (`separate`).

    `donate`: output place -> input place. That input's memory becomes the output's, where no later reader is hurt.
    """
    inputs, scalars = _inputs(graph)
    constants = _constants(graph)
    region = Region(graph, {graph.outputs[out]: graph.inputs[place] for out, place in (donate or {}).items()})
    lowerer = Lowerer({**inputs, **constants}, scalars)
    emitter = Emitter(lowerer, lowerer.buffers)
    region.lower(emitter, _outputs(graph, region))
    results = [_result(lowerer, emitter, n) for n in graph.outputs]
    program = Program(
        graph.name, [inputs.get(n) or scalars[n] for n in graph.inputs], results, lowerer.frames[0].body,
        {b: n.attrs["value"].array for n, b in constants.items()},
    )  # fmt: skip
    tidy(program)
    program.parts = cut(program)
    lay_out(program)
    for part in program.parts:
        part.offsets, part.workspace = program.offsets, program.workspace
        check(part)
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


def _outputs(graph: Graph, region: Region) -> dict[Node, Buffer]:
    """A buffer for every array that the kernel returns, but for those that take an input's memory."""
    return {
        node: Buffer(f"out{place}", node.dtype, node.shape, "output", None, node)
        for place, node in enumerate(graph.outputs)
        if node.shape != () and region.root(origin(node)) not in graph.inputs
    }


def _result(lowerer: Lowerer, emitter: Emitter, node: Node):
    if node.shape == ():
        return lowerer.value(node, ())
    return emitter.renamed(node) if origin(node) is not node else lowerer.buffers[node]
