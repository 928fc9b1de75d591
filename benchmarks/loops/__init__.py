"""Simulations as loops: value and gradient of thousands of steps, beside other systems and the adjoint by hand.

    rk4 heat nbody lstm pendulum        one module states each problem and its contenders, in float64
    ..._by_hand                         its loop, and the adjoint of it, as a patient person writes them for Numba
    memory                              200,000 steps, stored and recomputed: time, and peak of memory
    compiling                           what a new process waits for each of them
    calls                               a system's function -> an Entry whose results are compared

The adjoint by hand is the reference of every case; tests compare it with finite differences. A contender that has only
a value is compared by its value: `numba-primal` is the yardstick of what the loop itself costs.
"""
