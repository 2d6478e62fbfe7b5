"""Machine code that multiplies eight pairs of numbers at once, made when it is first needed.

A number is `limbs` digits of 52 bits. Eight numbers stand side by side in eight lanes of 512-bit registers:

    register j:   | digit j of number 7 | … | digit j of number 1 | digit j of number 0 |

so that one instruction (AVX-512 IFMA: the low, or the high, 52 bits of a product, added to a 64-bit lane)
does the same step of eight products. A product is Montgomery's, a·b/R modulo n with R = 2**(52·limbs) > 4·n:
digit by digit of a, with as much of n added as makes the lowest digit 0. With a and b below 2·n it is below
2·n again, so nothing is ever compared, and no step depends on a value.

    products   in each lane:  acc = start; for each pick: acc = acc · table[pick] / R;
                              where told: result = acc, acc = start
    powers     of each number, by a table of its first powers: acc = table[first digit];
               for each further digit: acc = acc^(2**bits) · table[digit]

Source: Montgomery 1985; Gueron, Krasnov 2016 (modular exponentiation on 52-bit vector multipliers).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LANES = 8
DIGIT_BITS = 52
BLOCK = 4
"""Digits of `a` that are taken in one pass over `b`; `limbs` is a multiple of it."""
MOST_ENTRIES = 32
"""Of a number's table of powers."""
_LINE_DIGITS = 8


class Source:
    """The functions as LLVM's intermediate text."""

    def __init__(self, limbs: int) -> None:
        from llvmlite import ir

        self._ir, self._limbs = ir, limbs
        self._module = ir.Module("lanes")
        self._nothing, self._digit, self._index = ir.VoidType(), ir.IntType(64), ir.IntType(32)
        self._digits, self._indices, self._bits = (
            ir.VectorType(kind, LANES) for kind in (self._digit, self._index, ir.IntType(1))
        )
        self._address, self._indices_at, self._byte_at, self._room = (
            kind.as_pointer() for kind in (self._digit, self._indices, ir.IntType(8), self._digits)
        )
        eight, base, lanes, scale = self._digits, self._address, self._bits, self._index
        self._low = self._declare("x86.avx512.vpmadd52l.uq.512", eight, [eight] * 3)
        self._high = self._declare("x86.avx512.vpmadd52h.uq.512", eight, [eight] * 3)
        gather, scatter = [eight, base, eight, lanes, scale], [base, lanes, eight, eight, scale]
        self._gather = self._declare("x86.avx512.mask.gather.qpq.512", eight, gather)
        self._scatter = self._declare("x86.avx512.mask.scatter.qpq.512", self._nothing, scatter)
        self._prefetch = self._declare("prefetch.p0", self._nothing, [self._byte_at] + [self._index] * 3)

    def text(self) -> str:
        self._product()
        self._products()
        self._powers()
        return str(self._module)

    def _declare(self, name: str, result: Any, arguments: list[Any]) -> Any:
        return self._ir.Function(self._module, self._ir.FunctionType(result, arguments), f"llvm.{name}")

    def _begin(self, name: str, *arguments: Any) -> Any:
        kind = self._ir.FunctionType(self._nothing, arguments)
        self._function = self._ir.Function(self._module, kind, name)
        self._builder = self._ir.IRBuilder(self._function.append_basic_block())
        return self._function.args

    def _product(self) -> None:
        """acc = a · acc / R, all lanes."""
        acc, a, modulus, inverse = self._begin("product", self._room, self._room, self._address, self._digit)
        self._multiply = self._function
        self._function.linkage, b, limbs = "internal", self._builder, self._limbs
        self._function.attributes.add("noinline")
        total, zero = self._make_room(), self._all(0)
        for j in range(limbs):
            self._put(zero, total, j)
        every = self._spread_value(inverse)
        self._loop(self._number(limbs), lambda i: self._block(total, acc, a, i, modulus, every), BLOCK)
        carry = zero
        for j in range(limbs):
            column = b.add(self._get(total, j), carry)
            self._put(b.and_(column, self._all((1 << DIGIT_BITS) - 1)), acc, j)
            carry = b.lshr(column, self._all(DIGIT_BITS))
        b.ret_void()

    def _block(self, total: Any, acc: Any, a: Any, first: Any, modulus: Any, inverse: Any) -> None:
        """total = (total + (a[first] + … + a[first + 3]·2**156) · acc + m · n) / 2**208, by the right m.

        Column by column: each takes the low halves of its own products and the high halves of the products
        before. Columns 0 to 3 give the digits of m, and vanish.
        """
        b, zero = self._builder, self._all(0)
        four = [self._get(a, b.add(first, self._number(k))) for k in range(BLOCK)]
        digits = [self._get(acc, j) for j in range(self._limbs)]
        moduli = [self._spread(modulus, j) for j in range(self._limbs)]
        m: list[Any] = []
        carry = zero
        for column in range(self._limbs + BLOCK):
            low = self._get(total, column) if column < self._limbs else zero
            low, high = self._column(low, zero, column, four, digits)
            low, high = self._column(low, high, column, m, moduli)
            value, carry = b.add(b.add(low, high), carry), zero
            if column < BLOCK:
                m.append(b.call(self._low, [zero, value, inverse]))
                value = b.call(self._low, [value, m[-1], moduli[0]])
                carry = b.lshr(value, self._all(DIGIT_BITS))
            else:
                self._put(value, total, column - BLOCK)

    def _column(self, low: Any, high: Any, column: int, factors: list[Any], digits: list[Any]) -> Any:
        """Both sums, and what the products of `factors` and `digits` add to a column."""
        for k, factor in enumerate(factors):
            if 0 <= column - k < len(digits):
                low = self._builder.call(self._low, [low, factor, digits[column - k]])
            if 0 <= column - k - 1 < len(digits):
                high = self._builder.call(self._high, [high, factor, digits[column - k - 1]])
        return low, high

    def _products(self) -> None:
        base, picked = self._address, self._index.as_pointer()
        table, picks, outs, steps, start, modulus, inverse, results = self._begin(
            "products", base, picked, picked, self._digit, base, base, self._digit, base
        )
        acc, a, b = self._make_room(), self._make_room(), self._builder

        def restart(lanes: Any) -> None:
            for j in range(self._limbs):
                self._put(b.select(lanes, self._spread(start, j), self._get(acc, j)), acc, j)

        def step(number: Any) -> None:
            out, byte = self._eight(outs, number), self._ir.IntType(8)
            ends = b.icmp_signed(">=", out, self._all(0, self._indices))
            any_ends = b.icmp_unsigned("!=", b.bitcast(ends, byte), byte(0))
            self._take(table, self._offsets(self._eight(picks, number)), a)
            self._fetch(table, picks, b.add(number, self._number(1)), to_write=False)
            with b.if_then(any_ends):
                self._fetch(results, outs, number, to_write=True)
            b.call(self._multiply, [acc, a, modulus, inverse])
            with b.if_then(any_ends):
                self._give(acc, results, self._offsets(out), ends)
                restart(ends)

        restart(self._all(1, self._bits))
        self._loop(steps, step)
        b.ret_void()

    def _powers(self) -> None:
        base, number = self._address, self._digit
        numbers, eights, digits, windows, bits, entries, one, modulus, inverse = self._begin(
            "powers", base, number, base, number, number, number, base, base, number
        )
        acc, table, b = self._make_room(), self._make_room(MOST_ENTRIES), self._builder
        offsets = self._ir.Constant(self._digits, [lane * self._limbs for lane in range(LANES)])

        def entry(index: Any) -> Any:
            return b.gep(table, [b.mul(index, self._number(self._limbs))])

        def copy(source: Any, target: Any) -> None:
            for j in range(self._limbs):
                self._put(self._get(source, j), target, j)

        def multiply(target: Any, factor: Any) -> None:
            b.call(self._multiply, [target, factor, modulus, inverse])

        def entry_after(index: Any) -> None:
            before, entry_here = (entry(b.add(index, self._number(k))) for k in (1, 2))
            copy(before, entry_here)
            multiply(entry_here, entry(self._number(1)))

        def window(number: Any) -> None:
            self._loop(bits, lambda _: multiply(acc, acc))
            multiply(acc, entry(b.load(b.gep(digits, [b.add(number, self._number(1))]))))

        def eight(number: Any) -> None:
            first = b.gep(numbers, [b.mul(number, self._number(LANES * self._limbs))])
            for j in range(self._limbs):
                self._put(self._spread(one, j), table, j)
            self._take(first, offsets, entry(self._number(1)))
            self._loop(b.sub(entries, self._number(2)), entry_after)
            copy(entry(b.load(digits)), acc)
            self._loop(b.sub(windows, self._number(1)), window)
            self._give(acc, first, offsets, self._all(1, self._bits))

        self._loop(eights, eight)
        b.ret_void()

    def _take(self, table: Any, offsets: Any, room: Any) -> None:
        """Eight numbers of a table, each to its lane."""
        everywhere, scale = self._all(1, self._bits), self._index(8)
        for j in range(self._limbs):
            digit = self._builder.gep(table, [self._number(j)])
            arguments = [self._all(0), digit, offsets, everywhere, scale]
            self._put(self._builder.call(self._gather, arguments), room, j)

    def _give(self, room: Any, table: Any, offsets: Any, lanes: Any) -> None:
        """The numbers of these lanes to their places in a table."""
        for j in range(self._limbs):
            digit = self._builder.gep(table, [self._number(j)])
            self._builder.call(self._scatter, [digit, lanes, offsets, self._get(room, j), self._index(8)])

    def _fetch(self, table: Any, picks: Any, step: Any, to_write: bool) -> None:
        """Have the numbers of a step brought near, while there is something else to do."""
        b, first = self._builder, self._builder.mul(step, self._number(LANES))
        write, near, data = self._index(int(to_write)), self._index(3), self._index(1)
        for lane in range(LANES):
            pick = b.sext(b.load(b.gep(picks, [b.add(first, self._number(lane))])), self._digit)
            place = b.mul(pick, self._number(self._limbs))
            for line in range(0, self._limbs, _LINE_DIGITS):
                digit = b.gep(table, [b.add(place, self._number(line))])
                b.call(self._prefetch, [b.bitcast(digit, self._byte_at), write, near, data])

    def _loop(self, count: Any, body: Callable[[Any], Any], by: int = 1) -> None:
        """body(0), body(by), … below `count`."""
        b, zero = self._builder, self._number(0)
        before, head, done = b.block, *(self._function.append_basic_block() for _ in range(2))
        b.cbranch(b.icmp_unsigned("<", zero, count), head, done)
        b.position_at_end(head)
        i = b.phi(self._digit)
        i.add_incoming(zero, before)
        body(i)
        following = b.add(i, self._number(by))
        i.add_incoming(following, b.block)
        b.cbranch(b.icmp_unsigned("<", following, count), head, done)
        b.position_at_end(done)

    def _make_room(self, numbers: int = 1) -> Any:
        room = self._builder.alloca(self._digits, numbers * self._limbs)
        room.align = 64
        return room

    def _get(self, room: Any, j: Any) -> Any:
        found = self._builder.load(self._builder.gep(room, [self._number(j) if isinstance(j, int) else j]))
        found.align = 64
        return found

    def _put(self, value: Any, room: Any, j: int) -> None:
        self._builder.store(value, self._builder.gep(room, [self._number(j)])).align = 64

    def _eight(self, places: Any, step: Any) -> Any:
        rows = self._builder.bitcast(places, self._indices_at)
        found = self._builder.load(self._builder.gep(rows, [step]))
        found.align = 4
        return found

    def _offsets(self, places: Any) -> Any:
        return self._builder.mul(self._builder.zext(places, self._digits), self._all(self._limbs))

    def _spread(self, base: Any, j: int) -> Any:
        return self._spread_value(self._builder.load(self._builder.gep(base, [self._number(j)])))

    def _spread_value(self, value: Any) -> Any:
        undefined = self._digits(self._ir.Undefined)
        first = self._builder.insert_element(undefined, value, self._index(0))
        return self._builder.shuffle_vector(first, undefined, self._all(0, self._indices))

    def _all(self, value: int, kind: Any = None) -> Any:
        return self._ir.Constant(kind or self._digits, [value] * LANES)

    def _number(self, value: int) -> Any:
        return self._digit(value)
