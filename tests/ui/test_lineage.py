"""Any graph has a picture."""

import xml.etree.ElementTree as ElementTree
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clow_nb.ui.lineage import layers, lineage_svg

NODES = st.sampled_from([f"dataset:d{i}@1" for i in range(8)])
EDGES = st.lists(st.tuples(NODES, NODES).filter(lambda pair: pair[0] != pair[1]), max_size=14)


@given(edges=EDGES)
def test_every_node_is_drawn_once_and_every_edge_has_a_line(edges: list[tuple[str, str]]) -> None:
    root = ElementTree.fromstring(lineage_svg(edges))
    nodes = {node for edge in edges for node in edge}
    assert len(root.findall("g")) == len(nodes)
    assert len(root.findall("path")) == len(set(edges))


@given(edges=EDGES)
def test_lines_go_to_the_right_where_there_is_no_circle(edges: list[tuple[str, str]]) -> None:
    forward = [(a, b) for a, b in edges if a < b]
    columns, stops = layers(forward)
    place = {node: i for i, column in enumerate(columns) for node in column}
    assert all(place[b] == place[a] + 1 for line in stops.values() for a, b in pairwise(line))


def test_a_long_chain_and_odd_names() -> None:
    chain = [(f"dataset:d@{i}", f"dataset:d@{i + 1}") for i in range(60)]
    assert len(layers(chain)[0]) == 61
    assert "&lt;b&gt;" in lineage_svg([("model:<b>@1", "model:x@2")])
