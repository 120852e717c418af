// Which kernel table to use: the one asked for by name, or the chosen one.
// It must not know laws, regions or threads, nor what a table's functions do.
#pragma once

#include "fanfill/fanfill.hpp"
#include "kernel/table.hpp"

namespace fanfill {

// `isa` is a name of the table of instruction sets; null is the chosen one. Answers kOk, kUnknownIsa or
// kUnsupportedIsa, and sets `table` only with kOk.
Status find_kernel_table(const char* isa, const KernelTable** table) noexcept;

// Whether this CPU writes old memory faster past its caches: Intel's, which else read every line first. AMD's
// Zen 4 takes a fifth longer (docs/design/0004-pages.md).
bool streaming_pays() noexcept;

}  // namespace fanfill
