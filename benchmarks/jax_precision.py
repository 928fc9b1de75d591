"""JAX's 64-bit switch is global to a process: here it is set for one block, so that cases don't disturb each other."""


def precision(bits: int):
    """A context: arrays made and functions called in it are of 64 (or at most 32) bits."""
    import jax

    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(bits == 64)
    from jax.experimental import enable_x64  # its place until JAX 0.8

    return enable_x64(bits == 64)
