"""Source -> kernel: module files, cache, Numba, calls from @njit code, vectorisable functions."""
