# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True, autotestdict=False, auto_pickle=False
"""The bit generator that lets numpy.random.Generator draw from the streams of the value contract.

It knows how words are handed out one by one; it must not know how a word is made, nor laws, memory or plans.
"""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport uint32_t, uint64_t
from numpy.random cimport BitGenerator, bitgen_t

from threading import RLock

from fanfill import _core
from fanfill.config import isa_complaint
from fanfill.number import as_int
from fanfill.stream import normalize_seed, stream_id

ctypedef int (*words_function)(
    uint64_t seed, uint64_t stream, int domain, uint64_t start, size_t count, uint32_t* out
) noexcept nogil

cdef words_function core_words = <words_function>PyCapsule_GetPointer(_core._words, "fanfill._core._words")

# Domain 0 holds the words of the elements, and is where a generator begins. Domain 2 holds those of the jumps,
# 2**43 draws of 64 bits for each.
cdef enum:
    DRAWS = 512  # in the buffer, 4 KiB: many times what a call of the core costs, and a corner of the first cache
    ELEMENTS = 0
    BIT_GENERATOR = 2
    JUMP_BITS = 43

cdef struct Engine:
    uint64_t seed
    uint64_t stream
    uint64_t jump
    uint64_t first  # the draw that the buffer begins with
    uint64_t size  # draws in the buffer
    uint64_t at  # the next to hand out, counted from the buffer's begin
    int has_uint32
    uint32_t uinteger  # the upper half of a draw whose lower half was handed out
    uint64_t buffer[DRAWS]


cdef inline uint64_t period(const Engine* engine) noexcept nogil:
    """Return the number of 64-bit draws of the stream."""
    return <uint64_t>1 << (JUMP_BITS if engine.jump else 63)


cdef void refill(Engine* engine) noexcept nogil:
    cdef uint64_t end = period(engine)
    engine.first += engine.size
    if engine.first == end:
        engine.first = 0
    engine.size = min(end - engine.first, <uint64_t>DRAWS)
    engine.at = 0
    # Cannot fail: the constructor has seen to the instruction set, and all else is in range.
    core_words(
        engine.seed,
        engine.stream,
        BIT_GENERATOR if engine.jump else ELEMENTS,
        2 * (engine.jump << JUMP_BITS | engine.first),
        2 * engine.size,
        <uint32_t*>engine.buffer,
    )


cdef uint64_t next_uint64(void* state) noexcept nogil:
    cdef Engine* engine = <Engine*>state
    if engine.at == engine.size:
        refill(engine)
    engine.at += 1
    return engine.buffer[engine.at - 1]


cdef uint32_t next_uint32(void* state) noexcept nogil:
    cdef Engine* engine = <Engine*>state
    cdef uint64_t draw
    if engine.has_uint32:
        engine.has_uint32 = 0
        return engine.uinteger
    draw = next_uint64(state)
    engine.has_uint32 = 1
    engine.uinteger = <uint32_t>(draw >> 32)
    return <uint32_t>draw


cdef double next_double(void* state) noexcept nogil:
    return <double>(next_uint64(state) >> 11) * (1.0 / 9007199254740992.0)


# What stands before the two dashes is the signature of the class, which Python cuts off the text.
cdef class Philox4x32(BitGenerator):
    """Philox4x32(seed=None, *, key=0)
--

Philox4x32-10 as a bit generator for numpy.random.Generator, on the streams of the value contract.

    Made from an integer seed, its 32-bit word i is word i of (seed, key), the one that element i of a tensor of
    that name is made of: ``random.words(seed, key, 0, n)`` are the first n. A draw of 64 bits takes words 2i and
    2i + 1, low first, as an element of a float64 tensor does.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence, optional
        An integer in [0, 2**64) is the cipher's key as it is; a SeedSequence gives
        ``generate_state(1, uint64)``. By default the operating system's entropy.
    key : int or str, default 0
        Which stream of the seed; see `fanfill.stream_id`.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range.

    Notes
    -----
    A stream has 2**63 draws of 64 bits, and then begins again. ``bit_generator.lock`` makes a draw from several
    threads safe and slow: to fill memory, use `fanfill.normal_` and the like, which need no state at all.

    References
    ----------
    J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.

    Examples
    --------
    >>> import numpy as np, fanfill as ff
    >>> rng = np.random.Generator(ff.random.Philox4x32(7, key="noise"))
    >>> rng.poisson(3.0, size=4).shape
    (4,)
    >>> raw = ff.random.Philox4x32(7, key="noise").random_raw(2).view(np.uint32)
    >>> bool((raw == ff.random.words(7, "noise", 0, 4)).all())
    True
    """

    cdef Engine engine

    def __init__(self, seed=None, *, key=0):
        cdef uint64_t stream = stream_id(key)
        number = None if seed is None else normalize_seed(seed)
        if complaint := isa_complaint():
            raise ValueError(complaint)
        BitGenerator.__init__(self, seed)
        self.lock = RLock()  # NumPy's own before 2.3 can't be taken twice, and its holder may well call advance()
        self._set(normalize_seed(self._seed_seq) if number is None else number, stream, 0, 0, 0, 0)
        self._bitgen.state = <void*>&self.engine
        self._bitgen.next_uint64 = &next_uint64
        self._bitgen.next_uint32 = &next_uint32
        self._bitgen.next_double = &next_double
        self._bitgen.next_raw = &next_uint64

    def __repr__(self):
        jump = f" jumped {self.engine.jump} times" if self.engine.jump else ""
        position = self.engine.first + self.engine.at
        return (
            f"<fanfill.random.Philox4x32: seed {self.engine.seed}, stream {self.engine.stream}{jump}, "
            f"{position} draws from its begin>"
        )

    @property
    def state(self):
        """The state as a dict of integers; may be set from one.

        Its ``state`` has ``seed``, ``stream``, ``jump`` and ``position``, which counts draws of 64 bits.
        """
        with self.lock:
            return {
                "bit_generator": "Philox4x32",
                "state": {
                    "seed": self.engine.seed,
                    "stream": self.engine.stream,
                    "jump": self.engine.jump,
                    "position": self.engine.first + self.engine.at,
                },
                "has_uint32": self.engine.has_uint32,
                "uinteger": self.engine.uinteger,
            }

    @state.setter
    def state(self, value):
        seed, stream, jump, position, has_uint32, uinteger = _checked_state(value)
        with self.lock:
            self._set(seed, stream, jump, position, has_uint32, uinteger)

    cdef _set(self, uint64_t seed, uint64_t stream, uint64_t jump, uint64_t position, int has, uint32_t half):
        self.engine.seed, self.engine.stream, self.engine.jump = seed, stream, jump
        self.engine.first, self.engine.size, self.engine.at = position, 0, 0
        self.engine.has_uint32, self.engine.uinteger = has, half

    def advance(self, delta):
        """Move by `delta` draws of 64 bits, back if it is negative, as if they had been drawn.

        Half a draw that is kept for the next 32-bit word is dropped.

        Parameters
        ----------
        delta : int

        Returns
        -------
        Philox4x32
            This generator.

        Raises
        ------
        TypeError
            If `delta` is no integer.
        ValueError
            If the stream ends before; `jumped` has others.
        """
        delta = as_int(delta, "delta")
        cdef uint64_t last = period(&self.engine) - 1
        with self.lock:
            position = self.engine.first + self.engine.at + delta
            if not 0 <= position <= last:
                raise ValueError(
                    f"delta: {delta} leads to draw {position}, and the stream has 0 ... {last}; "
                    f"jumped() and another key give other streams"
                )
            self._set(self.engine.seed, self.engine.stream, self.engine.jump, position, 0, 0)
        return self

    def jumped(self, jumps=1):
        """Return a generator at the begin of a stream of its own, for work that runs beside this one's.

        The streams are numbered: from number j (0 where nothing was jumped) this returns j + `jumps`. Each but
        number 0 has 2**43 draws of 64 bits, which no tensor is made of.

        Parameters
        ----------
        jumps : int, default 1
            At least 1.

        Returns
        -------
        Philox4x32

        Raises
        ------
        TypeError
            If `jumps` is no integer.
        ValueError
            If there is no stream of that number: they end at 2**20 - 1.
        """
        jumps = as_int(jumps, "jumps")
        number = self.engine.jump + jumps
        if jumps < 1 or number >> 63 - JUMP_BITS:
            raise ValueError(
                f"jumps: {jumps} leads to stream {number}, and there are those up to {(1 << 63 - JUMP_BITS) - 1}; "
                f"another key has as many again"
            )
        cdef Philox4x32 other = type(self)(self._seed_seq)
        other._set(self.engine.seed, self.engine.stream, number, 0, 0, 0)
        return other


def _checked_state(value):
    """Return the members of a state as integers in range."""
    if not isinstance(value, dict):
        raise TypeError(f"state must be a dict, not {type(value).__name__}")
    if value.get("bit_generator") != "Philox4x32":
        raise ValueError(f"state must be that of a Philox4x32, not of {value.get('bit_generator')!r}")
    inner = value.get("state")
    if not isinstance(inner, dict) or {*inner} != {"seed", "stream", "jump", "position"}:
        raise ValueError("state['state'] must be a dict of seed, stream, jump and position")
    cdef object one = 1  # an int of Python, whose shifts have no end
    ends = {"seed": one << 64, "stream": one << 64, "jump": one << 63 - JUMP_BITS}
    numbers = {name: as_int(inner[name], f"state['state'][{name!r}]") for name in inner}
    ends["position"] = one << (JUMP_BITS if numbers["jump"] else 63)
    for name, end in {**ends, "has_uint32": 2, "uinteger": one << 32}.items():
        if name not in numbers:
            numbers[name] = as_int(value.get(name, 0), f"state[{name!r}]")
        if not 0 <= numbers[name] < end:
            raise ValueError(f"state: {name} must be in [0, {end}), not {numbers[name]}")
    names = ("seed", "stream", "jump", "position", "has_uint32", "uinteger")
    return tuple(numbers[name] for name in names)
