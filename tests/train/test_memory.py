import numpy as np

from gradgen.train.memory import ALIGNMENT, Memory

PARAMS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.float64(2)}
STATE = {"step": 3, "none": None, "s": np.ones(5)}


def test_leaves_are_aligned_views_of_one_block():
    memory = Memory(PARAMS, STATE)
    assert [a.dtype for a in memory.arrays] == [np.float64, np.float32, np.float64, np.int64]
    assert [a.shape for a in memory.arrays] == [(), (2, 3), (5,), ()]
    assert memory.count == 2
    assert all(np.shares_memory(a, memory.block) for a in memory.arrays)
    assert all(a.ctypes.data % ALIGNMENT == 0 and a.flags.c_contiguous for a in memory.arrays)


def test_copies_have_the_tree_and_memory_of_their_own():
    memory = Memory(PARAMS, STATE)
    params, state = memory.tree(copied=True)
    memory.arrays[1][...] = 7
    assert np.array_equal(params["w"], PARAMS["w"])
    assert isinstance(params["b"], np.float64)
    assert state["none"] is None
    assert state["step"] == 3
    assert params["w"].base is None


def test_what_was_saved_comes_back_also_into_old_memory():
    memory = Memory(PARAMS, STATE)
    saved = memory.save(None)
    memory.arrays[1][...] = np.inf
    memory.arrays[3][...] = 9
    assert not memory.is_finite()
    later = memory.save(saved.copy())
    memory.restore(saved)
    assert memory.is_finite()
    assert memory.tree(copied=True)[1]["step"] == 3
    memory.restore(later)
    assert memory.tree(copied=True)[1]["step"] == 9


def test_only_parameters_must_be_finite():
    assert Memory(PARAMS, {"best": np.float64(np.inf)}).is_finite()
