// Whether memory is private and anonymous: no file's, and shared with no other process.
// It must not know what the memory is for, and never changes it.
#pragma once

#include <cstddef>

namespace fanfill {

// How much asking may cost: a few microseconds always, some hundred where an older kernel must be asked for
// the list of all mappings.
enum class AskingCost { kLow, kHigh };

// True only where all of the memory is known to be so, and writable. Where the system can't be asked at that
// cost, the answer is false. `maps` is the system's list of this process's mappings, or a copy of it.
bool is_private_anonymous(const void* memory, std::size_t bytes, AskingCost most,
                          const char* maps = "/proc/self/maps") noexcept;

}  // namespace fanfill
