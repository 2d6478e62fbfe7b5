"""Making the machine code of `lanes_code`, where it can run: once a process and size, when first needed."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from saferoom.errors import UsageError
from saferoom.he.lanes_code import BLOCK, Source

MOST_LIMBS = 160
"""More are as good, but their code takes many seconds to make: enough for Paillier at 4096 bits."""
_NEEDED = ("avx512f", "avx512ifma")
_made: dict[int, Kernel] = {}
_making = Lock()


@dataclass(frozen=True, slots=True)
class Kernel:
    """The two functions for one number of limbs. Addresses are those of little-endian 64-bit digits.

    products(table, picks, outs, steps, start, modulus, inverse, results): picks (steps + 1, 8) and outs
    (steps, 8) of int32, an out of -1 for none. powers(numbers, eights, digits, windows, bits, entries, one,
    modulus, inverse): in place, 8·eights numbers; digits (windows,) of 64 bits, highest first, below entries.
    `inverse` is -1/modulus modulo 2**52.
    """

    products: Callable[..., None]
    powers: Callable[..., None]
    engine: Any


@cache
def available() -> bool:
    """Whether the processor has the instructions, llvmlite is installed (extra `fast`), code may be made."""
    try:
        from llvmlite import binding
    except (ImportError, OSError):
        return False
    features = binding.get_host_cpu_features()
    return all(features.get(name, False) for name in _NEEDED) and _memory_may_become_code()


def _memory_may_become_code() -> bool:
    """Not in a service that forbids it (systemd's MemoryDenyWriteExecute): there made code would crash."""
    page = mmap.mmap(-1, mmap.PAGESIZE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    protect = ctypes.CDLL(None).mprotect
    protect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    return bool(protect(address, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_EXEC) == 0)


def is_made(limbs: int) -> bool:
    """Whether this process has the code for so many limbs already."""
    return limbs in _made


def kernel(limbs: int) -> Kernel:
    """The code, made at the first call. Raises UsageError where it cannot run."""
    with _making:
        if limbs not in _made:
            _made[limbs] = _make(limbs)
        return _made[limbs]


def _make(limbs: int) -> Kernel:
    """Takes about 0.2 s once a process and number of limbs. Raises UsageError where it cannot run."""
    if not available() or limbs % BLOCK:
        raise UsageError("this machine cannot run the vectorised products")
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten(), opt=2
    )
    code = binding.parse_assembly(Source(limbs).text())
    engine = binding.create_mcjit_compiler(code, machine)
    engine.finalize_object()
    address, number = ctypes.c_void_p, ctypes.c_uint64
    products = ctypes.CFUNCTYPE(None, *[address] * 3, number, address, address, number, address)
    powers = ctypes.CFUNCTYPE(None, address, number, address, *[number] * 3, address, address, number)
    return Kernel(
        products(engine.get_function_address("products")),
        powers(engine.get_function_address("powers")),
        (engine, machine),
    )
