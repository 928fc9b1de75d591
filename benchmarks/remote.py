"""An Entry that lives in a process of its own, stopped while others are timed.

    harness                                   python -m benchmarks.remote CASE CONTENDER QUICK
    Remote.sample(1000)  -- pickle, stdin -->   entry.sample(1000)
                        <-- pickle, stdout --   ("done", 0.0231)

Contenders disturb each other in one process: the pool of one BLAS spins for a while after its last call, and with two
cores a step of another library was measured at up to ten times its true time. A stopped process takes no core. It also
keeps one contender's global switches, memory and crashes from the others.
"""

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.harness import Case, Contender, ContenderError, local, message_of

ROOT = Path(__file__).parents[1]


class Remote:
    """Forwards `result`, `sample`, `steps` and `facts` to the entry that its process builds when first asked."""

    def __init__(self, case: Case, contender: Contender, quick: bool):
        self.steps, self.facts = 1, {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.remote", case.name, contender.name, str(int(quick))],
            env=os.environ | {"PYTHONPATH": search_path()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def result(self):
        self.steps, self.facts, result = self.ask("result")
        return result

    def sample(self, repeats):
        return self.ask("sample", repeats)

    def ask(self, *request):
        self.send("SIGCONT")
        try:
            pickle.dump(request, self.process.stdin)
            self.process.stdin.flush()
            status, *answer = pickle.load(self.process.stdout)
        except (EOFError, BrokenPipeError) as error:
            raise ContenderError(f"its process ended with status {self.process.wait()}", "") from error
        self.send("SIGSTOP")
        if status == "failed":
            raise ContenderError(*answer)
        return answer[0]

    def send(self, name: str):
        if hasattr(signal, name) and self.process.poll() is None:  # Windows has neither
            self.process.send_signal(getattr(signal, name))

    def close(self):
        self.send("SIGCONT")
        try:
            self.process.communicate(timeout=10)  # closes its stdin, which ends it
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


def search_path() -> str:
    """PYTHONPATH for a process that has to find this package, and gradgen where it is not installed."""
    return os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def settle_allocator():
    """Teach glibc to keep freed memory, as it does in any process that has lived a while.

    Freeing one block of nearly 32 MB raises its thresholds for good (M_MMAP_THRESHOLD in mallopt(3)). Without this
    the memory of every step may be faulted in anew: autograd on 784-256-128-10 took 5.5 ms so, and 1.6 with it.
    """
    np.empty(30 << 20, np.uint8)


def serve(case_name: str, contender_name: str, quick: bool):
    """The other side: answers until stdin ends."""
    from benchmarks.cases import CASES

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the harness, which then closes this
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print goes to stderr
    settle_allocator()
    case = next(case for case in CASES if case.name == case_name)
    contender = next(contender for contender in case.contenders if contender.name == contender_name)
    entry = None
    try:
        while True:
            verb, *args = pickle.load(sys.stdin.buffer)
            try:
                entry = entry or local(case, contender, quick)
                result = getattr(entry, verb)(*args)
                if verb == "result":
                    result = entry.steps, getattr(entry, "facts", {}), result
                answer = ("done", result)
            except Exception as error:
                answer = ("failed", *message_of(error))
            pickle.dump(answer, answers)
            answers.flush()
    except EOFError:
        pass
    finally:
        if entry:
            entry.close()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], bool(int(sys.argv[3])))
