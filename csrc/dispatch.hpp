// Which kernel table to use: the one asked for by name, or the chosen one.
// It must not know laws, regions or threads, nor what a table's functions do.
#pragma once

#include "fanfill/fanfill.hpp"
#include "kernel/table.hpp"

namespace fanfill {

// `isa` is a name of the table of instruction sets; null is the chosen one. Answers kOk, kUnknownIsa or
// kUnsupportedIsa, and sets `table` only with kOk.
Status find_kernel_table(const char* isa, const KernelTable** table) noexcept;

// What this CPU gains by stores past its caches (docs/design/0004-pages.md): Intel's else read every line
// first. AMD's Zen 4 takes a fifth longer; Zen 5 gains where short rows leave gaps, which it else reads too.
StreamingGain streaming_gain() noexcept;

}  // namespace fanfill
