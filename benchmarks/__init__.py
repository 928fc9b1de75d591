"""Cases x contenders: how fast gradgen's derivatives are, beside hand-written code and other systems.

    python -m benchmarks                      every case
    python -m benchmarks scalar-call 'mlp-*'  cases by name or pattern
    python -m benchmarks --list               what there is, and what is installed

harness.py times, remote.py gives each contender a process, agreement.py compares results, report.py prints and stores,
machine.py says where it ran. One module or folder per subject (scalar, mlp, startup) states its cases. To add one:
write a `Case` with its rows of contenders in such a module, and name the module in cases.py.
"""
